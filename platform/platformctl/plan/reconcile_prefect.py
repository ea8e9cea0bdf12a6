"""The part of a plan that is about what Prefect holds: pools, the zombie automation, lost flow runs, deployments."""

from collections.abc import Iterator, Mapping
from typing import get_args

from platformctl.errors import SpecError
from platformctl.model.observed import FlowRun, Instance, Observed, WorkPool
from platformctl.model.spec import Pool, WorkerType
from platformctl.plan.step import (
    Action,
    AddJobVariables,
    CrashRun,
    CreatePool,
    RegisterDeployments,
    RequeueRun,
    ResumeDrained,
    SetZombieAutomation,
    Step,
    UpdatePool,
)
from platformctl.plan.wanted import Wanted
from platformctl.stack.bundle import HEARTBEAT

ZOMBIE_WITHIN = 4.0 * HEARTBEAT
"""Seconds without a heartbeat after which a flow run is crashed: with fewer than three, healthy runs are crashed too."""


def pool_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Create the pools that Prefect lacks; of the others change only the fields that differ."""
    there = observed.prefect.pools if observed.prefect else {}
    for drained in observed.interrupted_drains:
        yield Step(f"pool {drained}", Action.RESUME, "an interrupted command left it paused", ResumeDrained(drained))
    for name, pool in wanted.project.spec.pools.items():
        if name not in there:
            yield Step(
                f"pool {name}", Action.CREATE, _unknown(observed) or "not in Prefect", CreatePool(_new(name, pool))
            )
        else:
            yield from _changed_pool_steps(there[name], pool)


def _changed_pool_steps(there: WorkPool, pool: Pool) -> Iterator[Step]:
    if changes := _changes(there, pool):
        cause = ", ".join(f"{key} {_show(old)} -> {_show(new)}" for key, (old, new) in changes.items())
        fields = {key: new for key, (_, new) in changes.items()}
        yield Step(f"pool {there.name}", Action.UPDATE, cause, UpdatePool(there.name, fields))
    if there.lacks and pool.type == "warm":
        cause = f"its jobs know no {', '.join(there.lacks)} yet"
        yield Step(f"pool {there.name}", Action.UPDATE, cause, AddJobVariables(there.name, there.lacks))


def _new(name: str, pool: Pool) -> WorkPool:
    return WorkPool(name, pool.type, pool.limit, pool.description, is_paused=bool(pool.paused))


Field = int | str | bool | None


def _changes(there: WorkPool, pool: Pool) -> Mapping[str, tuple[Field, Field]]:
    """Field to its old and new value.

    Prefect can't change a pool's type, and warm and process workers serve one another's pools: it stays as it was made.
    """
    if there.type not in get_args(WorkerType):
        found = (
            f"The pool {there.name!r} has the type {there.type!r} in Prefect, which {pool.type} workers can't serve."
        )
        remedy = (
            f"Type `platformctl pools delete {there.name}` to let go of it with its queues, or give it another name."
        )
        raise SpecError(found, remedy=remedy)
    compared: dict[str, tuple[Field, Field]] = {
        "concurrency_limit": (there.limit, pool.limit),
        "description": (there.description, pool.description),
    }
    if pool.paused is not None:
        compared["is_paused"] = (there.is_paused, pool.paused)
    return {key: (old, new) for key, (old, new) in compared.items() if old != new}


def _show(value: Field) -> str:
    return "none" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(observed: Observed) -> str | None:
    """What to say of a step that can't be compared yet; None where it can, or where there is no data to compare with."""
    has_data = any(name.endswith("_database") for name in observed.machine.volumes)
    return "unless Prefect has it already: no server answers yet" if observed.prefect is None and has_data else None


def zombie_steps(observed: Observed) -> Iterator[Step]:
    """A flow run whose process is gone is crashed by the server itself, also when nobody types `up`."""
    within = observed.prefect.zombie_within if observed.prefect else None
    if within != ZOMBIE_WITHIN:
        cause = _unknown(observed) or f"crashes flow runs without a heartbeat for {ZOMBIE_WITHIN:.0f} s"
        yield Step("automation zombies", Action.CREATE, cause, SetZombieAutomation(ZOMBIE_WITHIN))


def orphan_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Flow runs whose worker is gone or has started anew since: their process died with it.

    One that was running is crashed, unless its pool wants it otherwise; one that had not begun is scheduled again. Workers of
    others are not judged.
    """
    prefix = f"{wanted.project.spec.platform.name}-worker-"
    instances = {instance.name: instance for instance in observed.machine.instances}
    for run in observed.prefect.runs if observed.prefect else ():
        worker = run.worker or ""
        if worker.startswith(prefix) and (cause := _lost(run, instances.get(worker))):
            pool = wanted.project.spec.pools.get(run.pool or "")
            yield lost_run_step(run, cause, is_rescheduled=reschedules(pool))


def reschedules(pool: Pool | None) -> bool:
    """Whether a pool's flow runs start again where their worker is gone. pool: None where platform.toml has it no more."""
    return pool is not None and pool.on_stop == "reschedule"


def lost_run_step(run: FlowRun, cause: str, *, is_rescheduled: bool) -> Step:
    """Return the step that ends a flow run whose process is gone, or schedules it again: always if it had not begun."""
    if run.state_type == "PENDING" or (run.state_type == "RUNNING" and is_rescheduled):
        return Step(f"run {run.name}", Action.REQUEUE, cause, RequeueRun(run))
    return Step(f"run {run.name}", Action.CRASH, cause, CrashRun(run, f"Its process is gone: {cause}."))


def _lost(run: FlowRun, instance: Instance | None) -> str | None:
    if instance is None:
        return f"its worker {run.worker} is gone"
    if instance.status != "running":
        return f"its worker {run.worker} does not run"
    if instance.started > run.since:
        return f"its worker {run.worker} restarted at {instance.started:%H:%M:%S} UTC"
    return None


def deployment_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Register, an image at a time, what prefect.yaml declares and Prefect doesn't hold as it is declared now."""
    registered = observed.prefect.registered if observed.prefect else {}
    stale = [item for item in wanted.deployments if registered.get(item.key) != wanted.digest(item)]
    for image in dict.fromkeys(deployment.image for deployment in stale):
        members = [deployment for deployment in wanted.deployments if deployment.image == image]
        changed = [deployment for deployment in stale if deployment.image == image]
        names = ", ".join(deployment.name for deployment in changed)
        cause = _unknown(observed) or f"new or changed: {names}"
        change = RegisterDeployments(image, {deployment.key: wanted.digest(deployment) for deployment in members})
        yield Step(f"deployments {image}", Action.REGISTER, cause, change)
