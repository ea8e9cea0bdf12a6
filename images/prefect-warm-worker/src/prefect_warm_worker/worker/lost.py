"""Flow runs that nobody runs any more: found by a worker of their pool, and ended or scheduled again.

A flow run carries its worker's name as a label. Where that worker is this one, in an earlier life, the run is lost unless
its process goes on; where it is another one, once the server holds it for offline. Only one worker of a pool judges others.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkerStatus
from prefect.states import Cancelled, Crashed, Scheduled

from prefect_warm_worker.contract import (
    UNFINISHED,
    WORKER_LABEL,
    LostRunOutcome,
    OnStop,
    decide_lost_run,
    lost_run_message,
)
from prefect_warm_worker.forks.processes import is_engine

_UNFINISHED = [StateType(name) for name in UNFINISHED]
_UNCLAIMED = timedelta(seconds=60)
"""How long a run may be pending without a worker's name."""
_PAGE = 200

InFlight = Callable[[], Iterable[UUID]]
Cancel = Callable[[UUID], None]


class LostRuns:
    """Finds and settles the lost runs of a pool."""

    def __init__(self, client: PrefectClient, pool: str, worker: str, on_stop: OnStop) -> None:
        """on_stop: what the pool wants for runs whose worker stops."""
        self._client, self._pool, self._worker, self._on_stop = client, pool, worker, on_stop
        self.has_unfinished = True
        """Whether the pool had an unfinished run when it was searched last."""

    async def settle(self, in_flight: InFlight, cancel: Cancel, *, others: bool) -> list[tuple[FlowRun, str]]:
        """End or reschedule what is lost; returns the runs, with what was found. others: whether to judge other workers.

        cancel: called with those in flight that are to be cancelled: the event that says so may have been missed.
        """
        before = set(in_flight())
        unfinished = await self._unfinished()
        self.has_unfinished = bool(unfinished)
        for run in unfinished:
            if run.id in before and run.state_type is StateType.CANCELLING:
                cancel(run.id)
        runs = [run for run in unfinished if run.id not in before]
        found = [*self._own(runs), *(await self._of_others(runs) if others and runs else [])]
        settled = []
        for run, cause in found:
            if run.id not in set(in_flight()) and await self._is_as_before(run):
                await self._client.set_flow_run_state(run.id, self._state(run, cause), force=True)
                await self.crash_subflows(run.id)
                settled.append((run, cause))
        return settled

    async def crash_subflows(self, parent: UUID) -> None:
        """Crash the flow runs that ran in the process of another one, and theirs; those with a deployment have their own."""
        of_parent = FlowRunFilter(
            parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[parent]),
            deployment_id=FlowRunFilterDeploymentId(is_null_=True),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNFINISHED)),
        )
        for run in await self._client.read_flow_runs(flow_run_filter=of_parent, limit=_PAGE):
            message = "The process of the flow run that it is a part of is gone."
            await self._client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            await self.crash_subflows(run.id)

    def _own(self, runs: list[FlowRun]) -> list[tuple[FlowRun, str]]:
        own = [run for run in runs if run.labels.get(WORKER_LABEL) == self._worker]
        cause = f"the worker {self._worker} was started anew"
        return [(run, cause) for run in own if not is_engine(run.infrastructure_pid)]

    async def _of_others(self, runs: list[FlowRun]) -> list[tuple[FlowRun, str]]:
        """What offline workers left, where this worker is the first of those that are online."""
        workers = await self._client.read_workers_for_work_pool(self._pool, limit=_PAGE)
        online = {worker.name for worker in workers if worker.status is WorkerStatus.ONLINE} | {self._worker}
        if min(online) != self._worker:
            return []
        found = []
        for run in runs:
            name = run.labels.get(WORKER_LABEL)
            if name is None and _is_unclaimed(run):
                found.append((run, "the worker that took it is gone"))
            elif name is not None and name not in online:
                found.append((run, f"its worker {name} is offline"))
        return found

    async def _unfinished(self) -> list[FlowRun]:
        return await self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNFINISHED))),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._pool])),
            limit=_PAGE,
        )

    async def _is_as_before(self, run: FlowRun) -> bool:
        found = await self._client.read_flow_run(run.id)
        return found.state_id == run.state_id

    def _state(self, run: FlowRun, cause: str) -> State:
        message = lost_run_message(cause)
        match decide_lost_run(run.state_type or "", self._on_stop):
            case LostRunOutcome.CANCEL:
                return Cancelled(message=message)
            case LostRunOutcome.CRASH:
                return Crashed(message=message)
            case LostRunOutcome.REQUEUE:
                return schedule_again(message)


def schedule_again(message: str) -> State:
    """Return the state of a flow run that is to be started anew, now."""
    return Scheduled(scheduled_time=datetime.now(timezone.utc), message=message)  # noqa: UP017  # Python 3.10 has no UTC


def _is_unclaimed(run: FlowRun) -> bool:
    return (
        run.state is not None
        and run.state.is_pending()
        and datetime.now(timezone.utc) - run.state.timestamp > _UNCLAIMED  # noqa: UP017  # as above
    )
