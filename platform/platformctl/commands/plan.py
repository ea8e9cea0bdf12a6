"""`plan`: what `up` would do, and why."""

from platformctl.commands.move import find_move
from platformctl.commands.workspace import Workspace
from platformctl.plan.command_phases import up_phases
from platformctl.plan.observe import observe
from platformctl.plan.phases import plan_phases
from platformctl.plan.step import Plan


def preview(workspace: Workspace) -> Plan:
    """Return the plan that `up` would carry out; changes nothing."""
    observed = observe(workspace.wanted, workspace.runtime, workspace.api())
    steps = plan_phases(up_phases(workspace.wanted), observed).steps
    return Plan((*find_move(workspace).plan.steps, *steps))
