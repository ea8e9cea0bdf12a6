"""`down`: workers are drained, then everything is removed but the data, unless that is asked for too."""

from platformctl.commands.move import find_move, leave_runtime
from platformctl.commands.workspace import Workspace
from platformctl.model.observed import Observed
from platformctl.plan.command_phases import down_phases
from platformctl.plan.observe import observe_running
from platformctl.plan.phases import run_phases
from platformctl.plan.report import Report
from platformctl.plan.step import Plan

_IN_DATABASE, _IN_OTHERS = "flow runs, logs, deployments, pools, variables, blocks", "persisted results of flows"


def take_down(workspace: Workspace, report: Report, *, volumes: bool) -> Plan:
    """Take a platform down and return the plan that did it; its data and images stay unless `volumes`. Raises PlatformError."""
    with workspace.locked("platformctl down", report) as locked:

        def look() -> Observed:
            return observe_running(locked.runtime, locked.api())

        left = leave_runtime(locked, find_move(locked), report)
        phases = down_phases(locked.project, "down", volumes=volumes)
        done = run_phases(phases, look(), look, locked.world(report), report)
    return Plan((*left.steps, *done.steps))


def list_losses(workspace: Workspace) -> list[str]:
    """Return a line for each volume that `down --volumes` would delete, with what is in it, and one for the images."""
    held = workspace.runtime.observe([])
    images = len(workspace.runtime.built_images())
    return [
        *(f"{name}: {_IN_DATABASE if name in held.databases else _IN_OTHERS}" for name in sorted(held.volumes)),
        *(
            [f"{images} built {'image' if images == 1 else 'images'}: the next `up` builds what it needs"]
            if images
            else []
        ),
    ]
