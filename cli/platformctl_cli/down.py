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
        confirm("This deletes for ever:", lost, is_agreed=yes)
    with progress() as report:
        done = take_down(context.obj, report, volumes=volumes)
    kept = "Its data is gone." if volumes else "Its data stays: `platformctl up` brings it back."
    if volumes and context.obj.project.spec.database.url:
        kept = "Its data is gone, but for your own database, which was left alone."
    out.print(f"The platform is down. {kept}" if done.has_changes else "Nothing of it runs.")
