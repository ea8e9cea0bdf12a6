"""`status`: what runs."""

from typing import Annotated

import typer

from platformctl_cli.output import Format, Output


def status(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Print one line, and exit with 1 if something is wrong.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show server, database, workers, and flow runs in flight."""
    from platformctl.commands.status import read_status
    from platformctl_cli.display import show_json
    from platformctl_cli.summary import show_status

    found = read_status(context.obj)
    if output is Format.JSON:
        show_json(found)
    elif check:
        typer.echo(f"{found.name}: {found.problem or 'everything in platform.toml is running.'}")
    else:
        show_status(found, context.obj.project.secrets)
    if check and found.problem:
        raise typer.Exit(1)
