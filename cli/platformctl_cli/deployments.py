"""Deployments and their runs: run."""

from typing import Annotated

import typer


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to an app."""
    app.command("run")(run)


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FLOW/DEPLOYMENT", help="What to run.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="K=V", help="A parameter, its value as JSON or a string."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow its log; exit 0 only if it Completed.")] = False,
) -> None:
    """Start a flow run of a deployment."""
    from platformctl.runs import require_server, start_run, watch_run
    from platformctl_cli.display import out, show_run_item
    from platformctl_cli.finish import finish_run

    api = require_server(context.obj)
    started = start_run(api, name, parameters or ())
    if not watch:
        out.print(
            f"{started.name} is scheduled: {api.url.removesuffix('/api')}/runs/flow-run/{started.id}", markup=False
        )
        return
    for item in watch_run(api, started):
        show_run_item(item)
    finish_run(api, started.id)
