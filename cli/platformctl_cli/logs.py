"""`logs`: what the platform's services wrote."""

from typing import Annotated

import typer


def logs(
    context: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="server, database, migrate, a pool (all of its workers), or a worker such as worker-dev-1; by default all.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing what is written.")] = False,
    tail: Annotated[int, typer.Option("-n", "--tail", min=0, help="How many of the last lines of each to show.")] = 100,
) -> None:
    """Show what the platform's services wrote."""
    from platformctl.commands.logs import read_logs

    for line in read_logs(context.obj, services or (), follow=follow, tail=tail):
        typer.echo(line)
