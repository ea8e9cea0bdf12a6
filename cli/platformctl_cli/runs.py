"""Flow runs: ls, show, logs, cancel, retry."""

from typing import Annotated

import typer

from platformctl_cli.completion import complete_deployments, complete_runs
from platformctl_cli.output import Format, Output

app = typer.Typer(help="List, show and control flow runs.", no_args_is_help=True, rich_markup_mode=None)

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="The name or the id of a flow run.", autocompletion=complete_runs)
]
Runs = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Names or ids of flow runs.", autocompletion=complete_runs)
]


@app.command("ls")
def list_(  # noqa: PLR0913  # filters
    context: typer.Context,
    states: Annotated[
        list[str] | None, typer.Option("--state", help="A state, such as running or failed; or late, or stuck.")
    ] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="A work pool.")] = None,
    deployment: Annotated[
        str | None,
        typer.Option(
            "--deployment", metavar="FLOW/DEPLOYMENT", help="A deployment.", autocompletion=complete_deployments
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many to show, the last ones.")] = 20,
    output: Output = Format.TABLE,
) -> None:
    """List flow runs, and what is late or stuck."""
    from platformctl.commands.run import require_server
    from platformctl.commands.runs import list_runs
    from platformctl_cli.display import show_json
    from platformctl_cli.run_display import show_runs

    api = require_server(context.obj)
    found = list_runs(api, states=states or (), pool=pool, deployment=deployment, limit=limit)
    show_json(list(found.rows)) if output is Format.JSON else show_runs(found, context.obj.project.spec.platform.name)


@app.command("show")
def show(
    context: typer.Context,
    run: Run,
    tail: Annotated[int, typer.Option("-n", "--tail", min=0, help="How many of the last lines of its log.")] = 10,
    output: Output = Format.TABLE,
) -> None:
    """Show a flow run, why it failed at the beginning.

    Then its states, its tasks and sub-flows, and the end of its log.
    """
    from platformctl.commands.run import require_server
    from platformctl.commands.run_tree import report_run
    from platformctl.commands.runs import find_run
    from platformctl_cli.display import show_json
    from platformctl_cli.run_display import show_report

    api = require_server(context.obj)
    report = report_run(api, find_run(api, run), lines=tail)
    show_json(report) if output is Format.JSON else show_report(report)


@app.command("logs")
def logs(
    context: typer.Context,
    run: Run,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing until the run has ended.")] = False,
) -> None:
    """Print the log of a flow run and of its sub-flows."""
    from platformctl.commands.run import require_server
    from platformctl.commands.runs import find_run
    from platformctl.commands.watch import read_log, watch_run
    from platformctl_cli.display import show_run_item

    api = require_server(context.obj)
    found = find_run(api, run).run
    for item in watch_run(api, found) if follow else read_log(api, found):
        show_run_item(item)


@app.command("cancel")
def cancel(
    context: typer.Context,
    runs: Runs,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until they have ended.")] = False,
) -> None:
    """Cancel flow runs.

    What nobody runs ends at once; what runs is asked to end, and --wait waits for that.
    """
    from platformctl.commands.run import require_server
    from platformctl.commands.run_control import cancel_runs
    from platformctl_cli.run_display import show_asked

    show_asked(cancel_runs(require_server(context.obj), runs, wait=wait))


@app.command("retry")
def retry(context: typer.Context, runs: Runs) -> None:
    """Run flow runs once more that have ended.

    They stay the same runs, and use what Prefect kept of the results of their tasks.
    """
    from platformctl.commands.run import require_server
    from platformctl.commands.run_control import retry_runs
    from platformctl_cli.run_display import show_asked

    show_asked(retry_runs(require_server(context.obj), runs))
