"""`down`: workers are drained, then everything is removed but the data, unless that is asked for too."""

from platformctl.commands.leave import plan_leave
from platformctl.commands.workspace import Workspace
from platformctl.plan.down import plan_down
from platformctl.plan.execute import execute
from platformctl.plan.report import Report
from platformctl.plan.step import Plan
from platformctl.state.lock import lock_workspace

_HOLDS = {"database": "flow runs, logs, deployments, pools, variables, blocks", "results": "persisted results of flows"}


def down(workspace: Workspace, report: Report, *, volumes: bool) -> Plan:
    """Take a platform down and return the plan that did it; its data stays unless `volumes`. Raises PlatformError."""
    project, runtime = workspace.project(), workspace.runtime
    with lock_workspace(workspace, "platformctl down", report):
        is_server_ready = workspace.ready_api(project) is not None
        leave = plan_leave(workspace, project)
        execute(leave.plan, project, workspace.connections, leave.runtime, report)
        plan = plan_down(project, runtime.observe([]), volumes=volumes, is_server_ready=is_server_ready)
        execute(plan, project, workspace.connections, runtime, report)
    return Plan((*leave.plan.steps, *plan.steps))


def list_losses(workspace: Workspace) -> list[str]:
    """Return a line for each volume that `down --volumes` would delete, with what is in it."""
    prefix = f"{workspace.project().spec.platform.name}_"
    names = workspace.runtime.observe([]).volumes
    return [f"{name}: {_HOLDS.get(name.removeprefix(prefix), 'data')}" for name in sorted(names)]
