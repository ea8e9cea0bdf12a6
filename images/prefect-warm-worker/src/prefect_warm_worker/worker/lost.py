"""Flow runs that nobody runs any more: found by a worker of their pool, and ended or scheduled again.

A flow run carries its worker's name as a label. Where that worker is this one, in an earlier life, the run is lost unless
its process goes on; where it is another one, once that has missed its heartbeats and the run sends none either. Only one worker
of a pool judges others.
"""

import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType, Worker
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter, EventResourceFilter

from prefect_warm_worker.contract import (
    HEARTBEAT_SECONDS,
    TAKEN,
    WORKER_LABEL,
    LostRunOutcome,
    OnStop,
    decide_lost_run,
    is_taken,
    lost_run_message,
)
from prefect_warm_worker.forks.processes import is_engine
from prefect_warm_worker.worker.once import settle_once
from prefect_warm_worker.worker.unchanged import Unchanged

SETTLE_EVERY = 15.0
"""Seconds between two searches."""
_LONGEST_PAUSE = 1.5 * SETTLE_EVERY
_MISSED = 2.8
"""Heartbeats that a worker must have missed to be gone: Prefect sends each up to a third later than its interval."""
_INTERVAL = 30
"""Seconds between heartbeats of a worker that doesn't say how often it sends them: Prefect's default."""
_CLAIMED, _UNCLAIMED = 10.0, 60.0
"""Seconds that a run may be pending: with a worker's name, which may be that of one before until it gets its own; and without."""
_SILENT = 1.5 * HEARTBEAT_SECONDS
"""Seconds without a heartbeat of its own after which a run has ended with its worker."""
_PAGE = 200
_TAKEN = FlowRunFilterState.model_validate(TAKEN)

InFlight = Callable[[], Iterable[UUID]]
Tell = Callable[[UUID], None]


class LostRuns:
    """Finds and settles the lost runs of a pool."""

    def __init__(self, client: PrefectClient, pool: str, worker: str, on_stop: OnStop) -> None:
        """on_stop: what the pool wants for runs whose worker stops."""
        self._client, self._pool, self._worker, self._on_stop = client, pool, worker, on_stop
        self._heartbeats, self._pending, self._elsewhere = (Unchanged(_LONGEST_PAUSE) for _ in range(3))
        self._gone: set[str] = set()
        self.has_unfinished = True
        """Whether the pool had an unfinished run when it was searched last."""

    async def settle(
        self, in_flight: InFlight, cancel: Tell, give_up: Tell, *, others: bool
    ) -> list[tuple[FlowRun, str]]:
        """End or reschedule what is lost; returns the runs, with what was found. others: whether to judge other workers.

        cancel: called with those in flight that are to be cancelled: the event that says so may have been missed.
        give_up: called with those that another worker runs, which took this one for gone.
        """
        before = set(in_flight())
        unfinished = await self._unfinished()
        self.has_unfinished = bool(unfinished)
        for run in unfinished:
            if run.id in before and run.state_type is StateType.CANCELLING:
                cancel(run.id)
        for id_ in self._taken_over([run for run in unfinished if run.id in before]):
            give_up(id_)
        runs = [run for run in unfinished if run.id not in before]
        settled = []
        for run, cause in await self._lost(runs, others=others):
            outcome = decide_lost_run(run.state_type or "", self._on_stop)
            if run.id not in set(in_flight()) and await settle_once(
                self._client, run, outcome, lost_run_message(cause)
            ):
                await self.crash_subflows(run.id)
                settled.append((run, cause))
        return settled

    async def crash_subflows(self, parent: UUID) -> None:
        """Crash the flow runs that ran in the process of another one, and theirs; those with a deployment have their own."""
        of_parent = FlowRunFilter(
            parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[parent]),
            deployment_id=FlowRunFilterDeploymentId(is_null_=True),
            state=_TAKEN,
        )
        for run in await self._client.read_flow_runs(flow_run_filter=of_parent, limit=_PAGE):
            message = "The process of the flow run that it is a part of is gone."
            await settle_once(self._client, run, LostRunOutcome.CRASH, message)
            await self.crash_subflows(run.id)

    def _taken_over(self, runs: list[FlowRun]) -> list[UUID]:
        """Return those of this worker's runs that name another one at two looks: one just taken may name the one before."""
        names = {run.id: name for run in runs if (name := _worker_of(run)) not in {None, self._worker}}
        return [id_ for id_, seconds in self._elsewhere.look(names).items() if seconds > 0]

    async def _lost(self, runs: list[FlowRun], *, others: bool) -> list[tuple[FlowRun, str]]:
        """Return those runs that are lost, and how that came. runs: unfinished ones that this worker hasn't got."""
        pending = self._pending.look({run.id: run.state_id for run in runs if run.state_type is StateType.PENDING})
        settled = [run for run in runs if pending.get(run.id, math.inf) > (_CLAIMED if _worker_of(run) else _UNCLAIMED)]
        own = [run for run in settled if _worker_of(run) == self._worker and not is_engine(run.infrastructure_pid)]
        found = [(run, f"the worker {self._worker} was started anew") for run in own]
        if not (others and runs and await self._is_judge({name for run in runs if (name := _worker_of(run))})):
            return found
        for run in settled:
            name = _worker_of(run)
            if name is None and run.id in pending:
                found.append((run, "the worker that took it is gone"))
            elif name in self._gone and not await self._goes_on(run):
                found.append((run, f"its worker {name} is gone"))
        return found

    async def _is_judge(self, named: set[str]) -> bool:
        """Find out which workers are gone, and whether this one is the first of the others. named: those that runs name."""
        workers = await self._client.read_workers_for_work_pool(self._pool, limit=_PAGE)
        rows = {worker.name: worker for worker in workers}
        silent = self._heartbeats.look({name: _heartbeat(rows.get(name)) for name in rows.keys() | named})
        self._gone = {name for name, seconds in silent.items() if seconds > _patience(rows.get(name))} - {self._worker}
        return min((rows.keys() - self._gone) | {self._worker}) == self._worker

    async def _goes_on(self, run: FlowRun) -> bool:
        """Whether a flow run has sent a heartbeat of late: its process outlives its worker."""
        since = datetime.now(timezone.utc) - timedelta(seconds=_SILENT)  # noqa: UP017  # Python 3.10 has no UTC
        wanted = EventFilter(
            occurred=EventOccurredFilter(since=since),
            event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
            resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
        )
        return bool((await self._client.read_events(wanted, limit=1)).events)

    async def _unfinished(self) -> list[FlowRun]:
        found = await self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=_TAKEN),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._pool])),
            limit=_PAGE,
        )
        return [run for run in found if is_unfinished(run)]


def is_unfinished(run: FlowRun) -> bool:
    """Whether a worker has taken a flow run that hasn't ended."""
    return is_taken(run.state_type or "", run.state_name or "", run.empirical_policy.retry_type)


def _worker_of(run: FlowRun) -> str | None:
    return str(name) if (name := run.labels.get(WORKER_LABEL)) else None


def _heartbeat(worker: Worker | None) -> datetime | None:
    return worker.last_heartbeat_time if worker else None


def _patience(worker: Worker | None) -> float:
    """Return after how many seconds without a heartbeat a worker is gone. None is one that the server doesn't know."""
    return _MISSED * ((worker and worker.heartbeat_interval_seconds) or _INTERVAL)
