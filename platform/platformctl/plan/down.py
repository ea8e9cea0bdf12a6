"""The plan that takes a platform down: workers are drained first, and the data goes only if that is asked for."""

from collections.abc import Iterator

from platformctl.model.observed import Instance, Machine
from platformctl.plan.reconcile_workers import stop_change
from platformctl.plan.step import Action, Plan, RemoveInstances, RemoveNetwork, RemoveVolume, Step
from platformctl.spec.load import Project

_GRACE = {"server": 30, "database": 60}
"""Seconds until an instance is killed; the database needs them to write what it holds."""


def plan_down(project: Project, machine: Machine, *, volumes: bool, is_server_ready: bool, cause: str = "down") -> Plan:
    """Return the plan that removes what a machine holds of a platform, workers first; its volumes only if asked."""
    workers = _worker_steps(project, machine, cause, is_server_ready=is_server_ready)
    networks = (Step(f"network {name}", Action.REMOVE, cause, RemoveNetwork(name)) for name in machine.networks)
    lost = machine.volumes if volumes else ()
    deleted = (Step(f"volume {name}", Action.REMOVE, "down --volumes", RemoveVolume(name)) for name in lost)
    return Plan((*workers, *_instance_steps(machine, cause, volumes=volumes), *networks, *deleted))


def _worker_steps(project: Project, machine: Machine, cause: str, *, is_server_ready: bool) -> Iterator[Step]:
    """Drained where the server answers; where it doesn't, what they leave is made good by the next `up`."""
    pools: dict[str, list[Instance]] = {}
    for instance in machine.instances:
        if instance.role == "worker":
            pools.setdefault(instance.pool or "", []).append(instance)
    for name, instances in pools.items():
        drained = stop_change(name, instances, project.spec.pools.get(name))
        change = drained if is_server_ready else RemoveInstances(drained.workers, grace=10)
        yield Step(f"workers {name}", Action.REMOVE, f"{cause}: {', '.join(drained.workers)}", change)


def _instance_steps(machine: Machine, cause: str, *, volumes: bool) -> Iterator[Step]:
    """Where the data goes too, the database needn't write it: one that is still being made ignores the signal to stop."""
    graces = _GRACE | ({"database": 1} if volumes else {})
    order = ["deploy", "server", "migrate", "database"]
    others = [instance for instance in machine.instances if instance.role != "worker"]
    for instance in sorted(others, key=lambda found: order.index(found.role) if found.role in order else 0):
        change = RemoveInstances((instance.id,), grace=graces.get(instance.role, 10))
        yield Step(instance.service or instance.name, Action.REMOVE, cause, change)
