"""`run`: start a flow run, and follow it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platformctl_cli.completion import complete_deployments
from platformctl_cli.interrupts import INTERRUPTED, tell_interrupt

if TYPE_CHECKING:
    from platformctl.adapters.prefect.ports import Api
    from platformctl.model.observed import FlowRun


def run(  # noqa: PLR0913  # what a flow run is given
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="FLOW/DEPLOYMENT", help="What to run.", autocompletion=complete_deployments)
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="K=V", help="A parameter; V is JSON or a string, as the flow takes it."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--params", metavar="FILE", help="Parameters in JSON or YAML; -p comes before it.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow its log; exit 0 only if it Completed.")] = False,
    span: Annotated[
        str | None, typer.Option("--in", metavar="SPAN", help="Begin after this time: 90s, 10m, 2h, 1d.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Begin at this time, in ISO 8601; local without a zone.")
    ] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag of the run.")] = None,
    run_name: Annotated[str | None, typer.Option("--name", help="The name of the run.")] = None,
) -> None:
    """Start a flow run of a deployment."""
    from platformctl.commands.run import TypedRun, find_obstacle, require_server, start_run
    from platformctl_cli.display import out

    api = require_server(context.obj)
    started, start = start_run(api, name, TypedRun(parameters or (), file, span, at, tags or (), run_name))
    if not start and (obstacle := find_obstacle(api, name)):
        typer.echo(f"The flow run waits: {obstacle}.", err=True)
    address = f"{api.url.removesuffix('/api')}/runs/flow-run/{started.id}"
    when = f" for {start.astimezone():%Y-%m-%d %H:%M:%S %Z}" if start else ""
    if not watch or when:
        out.print(f"{started.name} is scheduled{when}: {address}", markup=False)
    if watch:
        _watch(api, started, address)


def _watch(api: "Api", started: "FlowRun", address: str) -> None:
    """Follow a flow run to its end; an interrupt ends the watching, and not the run."""
    from platformctl.commands.run import require_completed
    from platformctl.commands.watch import watch_run
    from platformctl_cli.display import show_run_item

    try:
        for item in watch_run(api, started):
            show_run_item(item)
    except KeyboardInterrupt:
        tell_interrupt(f"No longer watched: {started.name} keeps running, see {address}")
        raise typer.Exit(INTERRUPTED) from None
    require_completed(api, started.id)
