"""Workers: which to start, which to drain and remove, and when each is one that Prefect knows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from platformctl.model.observed import Instance, Observed
from platformctl.model.service import Service
from platformctl.model.spec import Pool
from platformctl.plan.await_started import WorkerName, await_workers, is_fresh
from platformctl.plan.causes import describe, replacement_cause
from platformctl.plan.resources.drain import pause_steps, resume_steps, stop_steps
from platformctl.plan.resources.instance import StopInstances
from platformctl.plan.resources.service import StartServices
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.spec.load import Project

_RECOVERY = timedelta(seconds=150)
"""How long a worker may take to poll a server that is back, and its health check to notice."""


@dataclass(frozen=True, slots=True)
class AwaitWorkers:
    """Wait until workers are online in Prefect."""

    needs_client: ClassVar[bool] = False
    workers: tuple[WorkerName, ...]

    def apply(self, world: World) -> None:
        """Wait; raises ServiceError with the last lines of one that fails."""
        await_workers(world.runtime, world.api, self.workers, world.note)


@dataclass(frozen=True, slots=True)
class ForgetWorker:
    """Delete the row of a worker that won't come back. worker: its name in Prefect."""

    needs_client: ClassVar[bool] = False
    pool: str
    worker: str

    def apply(self, world: World) -> None:
        """Delete it in Prefect."""
        world.api.delete_worker(self.pool, self.worker)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A worker that must be replaced: its service, what runs it now, and why it can't stay."""

    service: Service
    instance: Instance
    cause: str


def start_worker_steps(wanted: Wanted, observed: Observed, *, before_server: bool = False) -> Iterator[Step]:
    """Start the workers that aren't there, or that don't run. before_server: only those that wait for it by themselves."""
    for pool in wanted.project.spec.pools:
        groups: dict[tuple[Action, str], list[Service]] = {}
        for service in wanted.stack.workers(pool):
            if (service.waits_for_server or not before_server) and (need := _start_need(service, observed)):
                groups.setdefault(need, []).append(service)
        for (action, cause), services in groups.items():
            change = StartServices(tuple(service.name for service in services))
            yield Step(f"workers {pool}", action, f"{count_workers(services)} {cause}", change)


def replacements(wanted: Wanted, observed: Observed, pool: str) -> list[Replacement]:
    """Return the workers of a pool that run, or ran, as something else than what is wanted."""
    found = []
    for service in wanted.stack.workers(pool):
        instances = observed.machine.of_service(service.name)
        if instances and (cause := _replacement_cause(service, instances, observed)):
            found.append(Replacement(service, instances[0], cause))
    return found


def await_worker_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Wait together for all workers that were started or aren't online yet. Replaced ones were waited for in their turn."""
    waited = [
        service
        for pool in wanted.project.spec.pools
        for service in wanted.stack.workers(pool)
        if not is_online(service, observed)
        and not _replacement_cause(service, observed.machine.of_service(service.name), observed)
    ]
    if waited:
        yield await_workers_step("workers", waited)


def await_workers_step(resource: str, workers: Sequence[Service]) -> Step:
    """Return the step that waits for workers."""
    names = tuple(WorkerName(service.name, service.instance, service.pool or "") for service in workers)
    return Step(resource, Action.WAIT, f"{count_workers(workers)} to be online in Prefect", AwaitWorkers(names))


def surplus_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Drain and remove workers that are not wanted any more; their rows in Prefect go too."""
    kept = {service.name for service in wanted.stack.services if not service.is_spare}
    surplus = [found for found in observed.machine.instances if found.service not in kept]
    for name, instances in _by_pool(surplus).items():
        pool = wanted.project.spec.pools.get(name)
        why = f"too many: {pool.workers} wanted" if pool else "of a pool that is not in platform.toml"
        yield from _removal_steps(name, instances, pool, observed, f"{count_workers(instances)} {why}")
        for instance in instances:
            yield Step(
                f"worker {instance.name}",
                Action.REMOVE,
                "delete its record in Prefect",
                ForgetWorker(name, instance.name),
            )


def worker_removal_steps(project: Project, observed: Observed, cause: str) -> Iterator[Step]:
    """Drain and remove all workers. Where no server answers they are stopped at once; the next `up` sees to their flow runs."""
    for name, instances in _by_pool(observed.machine.instances).items():
        said = f"{cause}: {', '.join(instance.name for instance in instances)}"
        if observed.prefect is None:
            change = StopInstances(tuple(instance.name for instance in instances), grace=10)
            yield Step(f"workers {name}", Action.REMOVE, said, change)
        else:
            yield from _removal_steps(name, instances, project.spec.pools.get(name), observed, said)


def is_online(service: Service, observed: Observed) -> bool:
    """Whether a worker runs and has been heard of by Prefect since its instance started."""
    instances = observed.machine.of_service(service.name)
    if observed.prefect is None or len(instances) != 1 or instances[0].status != "running":
        return False
    rows = [worker for worker in observed.prefect.workers if worker.name == service.instance]
    return any(row.is_online and is_fresh(row, instances[0]) for row in rows)


def count_workers(items: Sequence[object]) -> str:
    """Return how many workers there are, in words."""
    return "1 worker" if len(items) == 1 else f"{len(items)} workers"


def _removal_steps(
    name: str, instances: Sequence[Instance], pool: Pool | None, observed: Observed, cause: str
) -> Iterator[Step]:
    yield from pause_steps(name, instances, observed)
    yield from stop_steps(name, instances, pool, observed, cause)
    yield from resume_steps(name, instances, observed)


def _by_pool(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    pools: dict[str, list[Instance]] = {}
    for instance in instances:
        if instance.role == "worker":
            pools.setdefault(instance.pool or "", []).append(instance)
    return pools


def _start_need(service: Service, observed: Observed) -> tuple[Action, str] | None:
    instances = observed.machine.of_service(service.name)
    if not instances:
        return Action.CREATE, "to add"
    if _replacement_cause(service, instances, observed) or instances[0].status in ("running", "restarting"):
        return None
    return Action.START, describe(instances[0])


def _replacement_cause(service: Service, instances: tuple[Instance, ...], observed: Observed) -> str | None:
    if not instances:
        return None
    if cause := replacement_cause(service, instances):
        return cause
    return "unhealthy" if instances[0].health == "unhealthy" and _server_is_settled(observed) else None


def _server_is_settled(observed: Observed) -> bool:
    """Whether the server has run for long enough: without it every worker is unhealthy, and its flow runs go on."""
    servers = observed.machine.of_service("server")
    return any(server.is_ready and observed.time - server.started > _RECOVERY for server in servers)
