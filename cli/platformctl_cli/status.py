"""`status`: what runs."""

import typer

from platformctl_cli.output import Format, Output


def status(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show server, database, workers, and flow runs in flight."""
    from platformctl.commands.status import read_status
    from platformctl_cli.display import show_json
    from platformctl_cli.summary import show_status

    found = read_status(context.obj)
    if output is Format.JSON:
        show_json(found)
    else:
        show_status(found, context.obj.project.secrets)
