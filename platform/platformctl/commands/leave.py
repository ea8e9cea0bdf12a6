"""Moving to another runtime: what the old one still runs of a platform is taken down first. Its data stays where it is."""

from dataclasses import dataclass

from platformctl.commands.workspace import Workspace
from platformctl.plan.down import plan_down
from platformctl.plan.step import Plan
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project


@dataclass(frozen=True, slots=True)
class Leave:
    """A runtime that is to be left, and the plan that does it: an empty one where it runs nothing."""

    runtime: Runtime
    plan: Plan


def plan_leave(workspace: Workspace, project: Project) -> Leave:
    """Return what takes a platform down on the runtime that it isn't wanted on any more."""
    runtime = workspace.connections.former_runtime(project, workspace.runtime)
    if runtime is None:
        return Leave(workspace.runtime, Plan(()))
    machine, is_server_ready = runtime.observe([]), workspace.ready_api(project) is not None
    cause = f"moves from {runtime.name} to {workspace.runtime.name}"
    return Leave(runtime, plan_down(project, machine, volumes=False, is_server_ready=is_server_ready, cause=cause))
