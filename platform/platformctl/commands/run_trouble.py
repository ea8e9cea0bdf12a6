"""What is wrong with a flow run that has not ended: it is late, or stuck, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.moments import short_span
from platformctl.commands.run import pool_obstacle
from platformctl.model.observed import Worker, WorkPool
from platformctl.model.runs import RunRecord

_LATE = timedelta(seconds=15)
"""How long a run that is due may wait until it is called late, as Prefect has it."""
_LONG = timedelta(minutes=2)
"""How long a run is Pending or Cancelling at most where all is well: a process may take half a minute to begin, or to end."""
_IN_THE_WAY = ("PENDING", "RUNNING", "CANCELLING")
"""The states in which a run takes a place of its pool."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What flow runs wait for and run on. workers: of all pools. busy: how many runs of a pool take a place of it."""

    now: datetime
    pools: Mapping[str, WorkPool]
    workers: tuple[Worker, ...]
    busy: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong: late or stuck, and why, a clause."""

    kind: str
    why: str


def read_surroundings(api: Api, now: datetime) -> Surroundings:
    """Read what flow runs wait for and run on."""
    observed = api.observe()
    busy = [run.pool for run in observed.runs if run.state_type in _IN_THE_WAY and run.pool]
    return Surroundings(now, observed.pools, observed.workers, {pool: busy.count(pool) for pool in busy})


def find_trouble(record: RunRecord, around: Surroundings) -> Trouble | None:
    """Return what is wrong with a flow run; None where it has ended, isn't due, or goes on."""
    run = record.run
    if run.state_type == "SCHEDULED":
        is_late = record.due is not None and around.now - record.due > _LATE
        return Trouble("late", _why_late(record, around)) if is_late else None
    if run.state_type in _IN_THE_WAY and (why := _why_stuck(record, around)):
        return Trouble("stuck", why)
    return None


def lacks_worker(record: RunRecord, around: Surroundings) -> bool:
    """Whether the worker that took a flow run is gone, or hasn't been heard of for long."""
    run = record.run
    online = {(worker.pool, worker.name) for worker in around.workers if worker.is_online}
    return run.worker is not None and run.pool is not None and (run.pool, run.worker) not in online


def _why_late(record: RunRecord, around: Surroundings) -> str:
    name = record.run.pool
    pool = around.pools.get(name or "")
    is_served = any(worker.is_online and worker.pool == name for worker in around.workers)
    if obstacle := pool_obstacle(name, pool, is_served=is_served):
        return obstacle
    if record.run.state_name == "AwaitingConcurrencySlot":
        return f"the concurrency limit of {record.deployment} is reached: it begins when another run of it ends"
    busy = around.busy.get(name or "", 0)
    if pool and pool.limit is not None and busy >= pool.limit:
        return f"the work pool {name} is at its limit of {pool.limit}: `platformctl pools set {name} --limit N`"
    return f"no worker of the work pool {name} has taken it yet: `platformctl logs {name}` shows what they do"


def _why_stuck(record: RunRecord, around: Surroundings) -> str | None:
    run, span = record.run, around.now - record.run.since
    if lacks_worker(record, around):
        return f"its worker {run.worker} is gone: `platformctl up` sees to it, `platformctl runs cancel` ends it"
    if run.state_type != "RUNNING" and run.worker and span > _LONG:
        return (
            f"it is {run.state_name} for {short_span(span)}: `platformctl logs {run.pool}` shows what its worker does"
        )
    return None
