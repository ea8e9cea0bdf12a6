"""`down`: take a platform down."""

from typing import Annotated

import typer


def down(
    context: typer.Context,
    volumes: Annotated[bool, typer.Option("--volumes", help="Delete the data too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Let the workers finish their flow runs, then remove everything.

    The data stays, unless --volumes.
    """
    from platformctl.commands.down import list_losses, take_down
    from platformctl_cli.confirm import confirm
    from platformctl_cli.display import out
    from platformctl_cli.progress import progress

    if volumes and (lost := list_losses(context.obj)):
        confirm("This deletes permanently:", lost, is_agreed=yes)
    with progress() as report:
        done = take_down(context.obj, report, volumes=volumes)
    kept = "Its data is deleted." if volumes else "Its data stays: `platformctl up` brings it back."
    if volumes and context.obj.project.spec.database.url:
        kept = "Its data is deleted. Your own database was not touched."
    out.print(f"The platform is down. {kept}" if done.has_changes else "Nothing to do: the platform isn't running.")
