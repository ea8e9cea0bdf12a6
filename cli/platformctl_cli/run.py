"""`run`: start a flow run, and follow it."""

from typing import TYPE_CHECKING, Annotated

import typer

from platformctl_cli.interrupts import INTERRUPTED, tell_interrupt

if TYPE_CHECKING:
    from platformctl.adapters.prefect.ports import Api
    from platformctl.model.observed import FlowRun


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FLOW/DEPLOYMENT", help="What to run.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="K=V", help="A parameter; V is JSON or a string."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow its log; exit 0 only if it Completed.")] = False,
) -> None:
    """Start a flow run of a deployment."""
    from platformctl.commands.run import find_obstacle, require_server, start_run
    from platformctl_cli.display import out

    api = require_server(context.obj)
    started = start_run(api, name, parameters or ())
    if obstacle := find_obstacle(api, name):
        typer.echo(f"The flow run waits: {obstacle}.", err=True)
    address = f"{api.url.removesuffix('/api')}/runs/flow-run/{started.id}"
    if watch:
        _watch(api, started, address)
    else:
        out.print(f"{started.name} is scheduled: {address}", markup=False)


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
