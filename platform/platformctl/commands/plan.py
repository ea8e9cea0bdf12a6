"""`plan`: what `up` would do, and why; or why it would refuse to."""

from dataclasses import dataclass
from datetime import UTC, datetime

from platformctl.commands.change import PhasesOf
from platformctl.commands.move import find_move
from platformctl.commands.workspace import Workspace
from platformctl.errors import PlatformError
from platformctl.plan.command_phases import up_phases
from platformctl.plan.observe import observe
from platformctl.plan.phases import plan_phases
from platformctl.plan.preflight import check_preconditions
from platformctl.plan.step import Plan
from platformctl.spec.prefect_yaml.notes import find_notes


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan that `up` would carry out.

    refusal: why it would not; None where nothing is in its way. notes: what the files say and their writer may not expect.
    """

    plan: Plan
    refusal: PlatformError | None
    notes: tuple[str, ...] = ()


def preview(workspace: Workspace, phases_of: PhasesOf = up_phases) -> Preview:
    """Return what a command would do, by default `up`; changes nothing."""
    wanted, runtime = workspace.wanted, workspace.runtime
    observed = observe(wanted, runtime, workspace.api())
    plan = plan_phases(phases_of(wanted), observed)
    refusal = None
    try:
        if plan.has_changes:
            check_preconditions(plan, wanted, observed, runtime)
    except PlatformError as error:
        refusal = error
    notes = tuple(find_notes(wanted.project, datetime.now(UTC)))
    return Preview(Plan((*find_move(workspace).plan.steps, *plan.steps)), refusal, notes)
