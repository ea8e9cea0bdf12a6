"""`scale`: how many workers pools have."""

from typing import Annotated

import typer


def scale(
    context: typer.Context,
    workers: Annotated[list[str], typer.Argument(metavar="POOL=N...", help="The pool and its number of workers.")],
) -> None:
    """Set how many workers each pool has."""
    from platformctl.commands.change import change, edit_keys_of
    from platformctl.commands.scale import parse_workers, worker_edits
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_outcome, typed_command

    edit = edit_keys_of(worker_edits(parse_workers(workers)))
    with progress() as report:
        outcome = change(context.obj, report, command="platformctl scale", edit=edit)
    show_outcome(outcome, typed_command(context.obj))
