"""`plan`: what `up` would do, and why."""

from dataclasses import replace
from typing import Annotated

import typer

from platformctl_cli.output import Format, Output, Runtime

_PLAN_HAS_CHANGES = 3


def plan(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 if there is something to do.")] = False,
    runtime: Annotated[
        Runtime | None, typer.Option("--runtime", help="Show what would change if the platform moved to this runtime.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the steps that `up` would take, and why. If `up` would refuse, say why and exit with 1."""
    from platformctl.commands.plan import preview
    from platformctl.plan.plan_json import plan_content
    from platformctl_cli.display import show_json, show_notes, show_plan

    found = preview(replace(context.obj, runtime_name=runtime) if runtime else context.obj)
    if output is Format.JSON:
        refused = found.refusal.message if found.refusal else None
        steps = plan_content(found.plan)
        show_json({"changes": found.plan.has_changes, "refused": refused, "notes": list(found.notes), "steps": steps})
    else:
        show_plan(found.plan, is_refused=found.refusal is not None)
        show_notes(found.notes)
    if found.refusal:
        raise found.refusal
    if check and found.plan.has_changes:
        raise typer.Exit(_PLAN_HAS_CHANGES)
