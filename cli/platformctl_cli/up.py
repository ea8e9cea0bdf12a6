"""`up`: bring a platform to what its files want."""

from typing import Annotated

import typer


def up(
    context: typer.Context,
    workers: Annotated[
        list[str] | None,
        typer.Option(
            "--workers", metavar="[POOL=]N", help="Set how many workers a pool has; this changes platform.toml."
        ),
    ] = None,
) -> None:
    """Bring the platform to what platform.toml says.

    It is done when every worker is online in Prefect. If it was interrupted, type it again: it continues from there.
    """
    from platformctl.commands.scale import parse_workers, worker_edits
    from platformctl.commands.up import up as bring_up
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_outcome, typed_command

    edits = worker_edits(parse_workers(workers)) if workers else None
    with progress() as report:
        outcome = bring_up(context.obj, report, edits=edits)
    show_outcome(outcome, typed_command(context.obj), is_up=True)
