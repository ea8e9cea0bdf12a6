"""The part of a plan that is about workers: which to start, which to replace, which to drain and remove."""

from collections.abc import Iterator
from datetime import timedelta

from platformctl.model.observed import Instance, Observed, Worker
from platformctl.model.spec import Pool
from platformctl.plan.causes import describe, replacement_cause
from platformctl.plan.reconcile_prefect import reschedules
from platformctl.plan.step import Action, AwaitWorkers, StartWorkers, Step, StopWorkers
from platformctl.plan.wanted import Wanted
from platformctl.stack.bundle import Service

_GRACE_OF_REMOVED = 60
"""Seconds for the flow runs of a pool that platform.toml has no more."""
_SKEW = timedelta(seconds=2)
_RECOVERY = timedelta(seconds=150)
"""How long a worker may take to poll a server that is back, and its health check to notice."""


def worker_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Surplus workers go first, then each pool's are started or replaced."""
    yield from _surplus_steps(wanted, observed)
    for pool in wanted.project.spec.pools:
        yield from _pool_worker_steps(wanted, observed, pool)


def await_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """All workers that are started, or that Prefect hasn't heard of yet, are waited for together."""
    workers = [service for service in wanted.bundle.services if service.role == "worker"]
    waited = [
        service
        for service in workers
        if _need(service, observed.machine.of_service(service.name), observed) or not is_online(service, observed)
    ]
    if waited:
        yield Step("workers", Action.WAIT, f"{_count(waited)} to be online in Prefect", AwaitWorkers(tuple(waited)))


def _surplus_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    kept = {service.name for service in wanted.bundle.services}
    surplus: dict[str, list[Instance]] = {}
    for instance in observed.machine.instances:
        if instance.role == "worker" and instance.service not in kept:
            surplus.setdefault(instance.pool or "", []).append(instance)
    for name, instances in surplus.items():
        pool = wanted.project.spec.pools.get(name)
        cause = f"{pool.workers} wanted" if pool else "the pool is not in platform.toml"
        change = stop_change(name, instances, pool, is_final=True)
        yield Step(f"workers {name}", Action.REMOVE, f"{_count(instances)}: {cause}", change)


def _pool_worker_steps(wanted: Wanted, observed: Observed, pool: str) -> Iterator[Step]:
    groups: dict[tuple[Action, str], list[tuple[Service, Instance | None]]] = {}
    for service in wanted.bundle.workers(pool):
        found = observed.machine.of_service(service.name)
        if need := _need(service, found, observed):
            groups.setdefault(need, []).append((service, found[0] if found else None))
    for (action, cause), members in groups.items():
        services = [service for service, _ in members]
        instances = [instance for _, instance in members if instance]
        is_replaced = action is Action.REPLACE
        replaced = stop_change(pool, instances, wanted.project.spec.pools[pool]) if is_replaced else None
        change = StartWorkers(tuple(services), replaced)
        yield Step(f"workers {pool}", action, f"{_count(services)}: {cause}", change)


def _need(service: Service, found: tuple[Instance, ...], observed: Observed) -> tuple[Action, str] | None:
    if not found:
        return Action.CREATE, "not there"
    if cause := replacement_cause(service, found):
        return Action.REPLACE, cause
    if found[0].health == "unhealthy" and _had_its_chance(observed):
        return Action.REPLACE, "unhealthy"
    if found[0].status not in ("running", "restarting"):
        return Action.START, describe(found[0])
    return None


def _had_its_chance(observed: Observed) -> bool:
    """Whether the server has run for long enough: without it every worker is unhealthy, and its flow runs go on."""
    servers = observed.machine.of_service("server")
    return any(server.is_ready and observed.time - server.started > _RECOVERY for server in servers)


def is_online(service: Service, observed: Observed) -> bool:
    """Whether a worker runs and has been heard of by Prefect since its instance started."""
    instances = observed.machine.of_service(service.name)
    if observed.prefect is None or len(instances) != 1 or instances[0].status != "running":
        return False
    rows = [worker for worker in observed.prefect.workers if worker.name == service.instance]
    return any(row.is_online and is_fresh(row, instances[0]) for row in rows)


def is_fresh(row: Worker, instance: Instance) -> bool:
    """Whether a worker was heard of since its instance started; an old row stays online for a while."""
    return row.last_heartbeat >= instance.started - _SKEW


def stop_change(name: str, instances: list[Instance], pool: Pool | None, *, is_final: bool = False) -> StopWorkers:
    """Return what stops workers of a pool, drained. pool: None where platform.toml has it no more."""
    return StopWorkers(
        name,
        tuple(instance.name for instance in instances),
        grace=pool.grace if pool else _GRACE_OF_REMOVED,
        is_final=is_final,
        drains=all(instance.drains for instance in instances),
        is_rescheduled=reschedules(pool),
    )


def _count(items: list[Service] | list[Instance]) -> str:
    return "1 worker" if len(items) == 1 else f"{len(items)} workers"
