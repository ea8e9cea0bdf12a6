"""`deploy`: bring deployments to what prefect.yaml declares."""

from contextlib import nullcontext
from typing import Annotated

import typer

from platformctl_cli.output import Format, Output

_HAS_CHANGES = 3


def deploy(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="DEPLOYMENT or FLOW/DEPLOYMENT; all without a name.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 3 if there is something to do.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune/--no-prune", help="Remove what was deployed from here and is no longer declared.")
    ] = True,
    output: Output = Format.TABLE,
) -> None:
    """Bring the deployments to what prefect.yaml says, without touching the server.

    Where an image changed it is built, and the workers that run it are replaced.
    """
    from platformctl.commands.deploy import deploy as bring
    from platformctl.commands.deploy import preview_deploy
    from platformctl.plan.plan_json import plan_content
    from platformctl_cli.display import show_json, show_plan
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_done

    if check:
        found = preview_deploy(context.obj, names or (), prunes=prune)
        plan, refusal = found.plan, found.refusal
    else:
        with nullcontext(lambda _: None) if output is Format.JSON else progress() as report:
            plan, refusal = bring(context.obj, names or (), report, prunes=prune), None
    if output is Format.JSON:
        refused = refusal.message if refusal else None
        show_json({"changes": plan.has_changes, "refused": refused, "steps": plan_content(plan)})
    elif check:
        show_plan(plan, is_refused=refusal is not None)
    else:
        show_done(plan)
    if refusal:
        raise refusal
    if check and plan.has_changes:
        raise typer.Exit(_HAS_CHANGES)
