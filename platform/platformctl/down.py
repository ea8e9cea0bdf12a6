"""`down`: workers are drained, then everything is removed but the data, unless that is asked for too."""

from collections.abc import Iterator

from platformctl.lock import lock_workspace
from platformctl.plan.execute import execute
from platformctl.plan.observed import Machine
from platformctl.plan.report import Report
from platformctl.plan.step import Action, Plan, RemoveInstances, RemoveNetwork, RemoveVolume, Step, StopWorkers
from platformctl.spec.load import Project
from platformctl.workspace import Workspace

_GRACE = {"server": 30, "database": 60}
"""Seconds until an instance is killed; the database needs them to write what it holds."""
_HOLDS = {"database": "flow runs, logs, deployments, pools, variables, blocks", "results": "persisted results of flows"}


def plan_down(project: Project, machine: Machine, *, volumes: bool, is_server_ready: bool) -> Plan:
    """Return the plan that removes what a machine holds of a platform, workers first; its volumes only if asked."""
    workers = _worker_steps(project, machine, is_server_ready=is_server_ready)
    networks = (Step(f"network {name}", Action.REMOVE, "down", RemoveNetwork(name)) for name in machine.networks)
    lost = machine.volumes if volumes else ()
    deleted = (Step(f"volume {name}", Action.REMOVE, "down --volumes", RemoveVolume(name)) for name in lost)
    return Plan((*workers, *_instance_steps(machine, volumes=volumes), *networks, *deleted))


def down(workspace: Workspace, report: Report, *, volumes: bool) -> Plan:
    """Take a platform down and return the plan that did it; its data stays unless `volumes`. Raises PlatformError."""
    project, runtime = workspace.project(), workspace.runtime
    with lock_workspace(workspace, "platformctl down", report):
        is_server_ready = workspace.ready_api(project) is not None
        plan = plan_down(project, runtime.observe([]), volumes=volumes, is_server_ready=is_server_ready)
        execute(plan, project, workspace.connections, runtime, report)
    return plan


def list_losses(workspace: Workspace) -> list[str]:
    """Return a line for each volume that `down --volumes` would delete, with what is in it."""
    prefix = f"{workspace.project().spec.platform.name}_"
    names = workspace.runtime.observe([]).volumes
    return [f"{name}: {_HOLDS.get(name.removeprefix(prefix), 'data')}" for name in sorted(names)]


def _worker_steps(project: Project, machine: Machine, *, is_server_ready: bool) -> Iterator[Step]:
    """Drained where the server answers; where it doesn't, what they leave is made good by the next `up`."""
    pools: dict[str, list[str]] = {}
    for instance in machine.instances:
        if instance.role == "worker":
            pools.setdefault(instance.pool or "", []).append(instance.name)
    for name, workers in pools.items():
        pool = project.spec.pools.get(name)
        grace = pool.grace if pool else 60
        drained = StopWorkers(name, tuple(workers), grace, is_final=False)
        change = drained if is_server_ready else RemoveInstances(tuple(workers), grace=10)
        yield Step(f"workers {name}", Action.REMOVE, f"down: {', '.join(workers)}", change)


def _instance_steps(machine: Machine, *, volumes: bool) -> Iterator[Step]:
    """Where the data goes too, the database needn't write it: one that is still being made ignores the signal to stop."""
    graces = _GRACE | ({"database": 1} if volumes else {})
    order = ["deploy", "server", "migrate", "database"]
    others = [instance for instance in machine.instances if instance.role != "worker"]
    for instance in sorted(others, key=lambda found: order.index(found.role) if found.role in order else 0):
        change = RemoveInstances((instance.id,), grace=graces.get(instance.role, 10))
        yield Step(instance.service or instance.name, Action.REMOVE, "down", change)
