"""The platform as a whole: up, plan, render, status, logs, scale, down."""

from dataclasses import replace
from typing import Annotated

import typer

from platformctl_cli.output import Format, Output, Runtime

_PLAN_HAS_CHANGES = 3


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to an app, in the order of --help."""
    for name, command in (("up", up), ("plan", plan), ("status", status), ("logs", logs), ("scale", scale)):
        app.command(name)(command)
    app.command("down")(down)
    app.command("render")(render)


def up(
    context: typer.Context,
    workers: Annotated[
        list[str] | None,
        typer.Option("--workers", metavar="[POOL=]N", help="Set how many workers a pool has, in platform.toml too."),
    ] = None,
) -> None:
    """Bring the platform to what platform.toml says.

    Done when every worker is online in Prefect. Typed again, it does nothing; interrupted, it goes on.
    """
    from platformctl.commands.scale import parse_workers, worker_edits
    from platformctl.commands.up import up as bring_up
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_outcome, typed_command

    edits = worker_edits(parse_workers(workers)) if workers else None
    with progress() as report:
        outcome = bring_up(context.obj, report, edits=edits)
    show_outcome(outcome, typed_command(context.obj), is_up=True)


def plan(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 where there is something to do.")] = False,
    runtime: Annotated[
        Runtime | None, typer.Option("--runtime", help="Show what moving the platform to it would change.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the steps that `up` would take, and why."""
    from platformctl.commands.plan import preview
    from platformctl_cli.display import show_json, show_plan
    from platformctl_cli.summary import plan_content

    found = preview(replace(context.obj, runtime_name=runtime) if runtime else context.obj)
    if output is Format.JSON:
        show_json(plan_content(found))
    else:
        show_plan(found)
    if check and found.has_changes:
        raise typer.Exit(_PLAN_HAS_CHANGES)


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


def logs(
    context: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE]...", help="server, database, or a pool's workers by its name."),
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written from now on.")] = False,
    tail: Annotated[int, typer.Option("-n", "--tail", min=0, help="How many last lines of each.")] = 100,
) -> None:
    """Show what the platform's services wrote."""
    from platformctl.commands.logs import read_logs

    try:
        for line in read_logs(context.obj, services or (), follow=follow, tail=tail):
            typer.echo(line)
    except KeyboardInterrupt:  # how following ends
        raise typer.Exit(130) from None


def scale(
    context: typer.Context,
    workers: Annotated[list[str], typer.Argument(metavar="POOL=N...", help="How many workers a pool has.")],
) -> None:
    """Set how many workers pools have."""
    from platformctl.commands.change import change, edit_keys_of
    from platformctl.commands.scale import parse_workers, worker_edits
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_outcome, typed_command

    edit = edit_keys_of(worker_edits(parse_workers(workers)))
    with progress() as report:
        outcome = change(context.obj, report, command="platformctl scale", edit=edit)
    show_outcome(outcome, typed_command(context.obj))


def down(
    context: typer.Context,
    volumes: Annotated[bool, typer.Option("--volumes", help="Delete the data too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Drain the workers and take the platform down.

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


def render(context: typer.Context) -> None:
    """Write what the platform runs from, and start nothing."""
    from platformctl.commands.render import render_to_disk
    from platformctl_cli.display import out

    folder, changed = render_to_disk(context.obj)
    for path in changed:
        out.print(path, markup=False)
    out.print(f"{len(changed)} files changed in {folder}")
