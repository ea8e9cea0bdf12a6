"""Prefect in memory: flow runs and workers of pools, asked as the warm worker asks a server for them."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun, State, StateType, Worker, WorkerStatus

_FLOW = UUID(int=1)
_MOST = 200
"""Rows that a server gives at most; it refuses who asks for more."""


class MemoryPrefect:
    """What is there, by id and by name. Filters are honoured; what a server would refuse fails."""

    def __init__(self) -> None:
        self.runs: dict[UUID, FlowRun] = {}
        self.pools: dict[UUID, str | None] = {}
        self.parents: dict[UUID, UUID | None] = {}
        """The pool of each flow run, and the flow run that began it: a client isn't told of either."""
        self.workers: dict[str, dict[str, WorkerStatus]] = {"etl": {}}
        """The workers of each pool, in the order in which the server gives them."""
        self.meanwhile: dict[UUID, State] = {}
        """The states that flow runs get just after they have been listed."""
        self.refused: set[UUID] = set()
        """The flow runs whose state can't be set."""

    @property
    def client(self) -> PrefectClient:
        """What is asked, as the worker names its type."""
        return cast("PrefectClient", self)

    def add(
        self,
        state: State,
        worker: str | None = None,
        pid: str | None = None,
        *,
        pool: str | None = "etl",
        parent: UUID | None = None,
        deployment: UUID | None = None,
    ) -> FlowRun:
        """Add a flow run. worker: the one that its label names. pid: of its process. Returns it."""
        run = FlowRun(flow_id=_FLOW, name=f"run-{len(self.runs)}", infrastructure_pid=pid, deployment_id=deployment)
        run.labels = {"prefect.worker.name": worker} if worker else {}
        self.runs[run.id] = _in_state(run, state)
        self.pools[run.id], self.parents[run.id] = pool, parent
        return self.runs[run.id]

    def said(self, run: FlowRun) -> tuple[str | None, str | None]:
        """Return the name and the message of a flow run's state now."""
        state = self.runs[run.id].state
        assert state is not None
        return state.name, state.message

    async def read_flow_runs(
        self, *, flow_run_filter: FlowRunFilter, work_pool_filter: WorkPoolFilter | None = None, limit: int
    ) -> list[FlowRun]:
        assert 0 < limit <= _MOST
        found = [run for run in self.runs.values() if self._matches(run, flow_run_filter)]
        if work_pool_filter is not None:
            found = [run for run in found if self.pools[run.id] in _pools_of(work_pool_filter)]
        for id_, state in self.meanwhile.items():
            self.runs[id_] = _in_state(self.runs[id_], state)
        return found

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        return self.runs[flow_run_id]

    async def set_flow_run_state(
        self, flow_run_id: UUID, state: State, force: bool = False
    ) -> SimpleNamespace:  # as the client has it
        """Set a state; of those that a worker sets a server takes only this one without force."""
        if flow_run_id in self.refused:
            raise ConnectionError("no server")
        if force or state.type is StateType.CANCELLING:
            self.runs[flow_run_id] = _in_state(self.runs[flow_run_id], state)
        return SimpleNamespace(state=self.runs[flow_run_id].state)

    async def read_workers_for_work_pool(self, work_pool_name: str, *, limit: int) -> list[Worker]:
        assert 0 < limit <= _MOST
        pool: Mapping[str, WorkerStatus] = self.workers[work_pool_name]
        return [Worker(name=name, work_pool_id=_FLOW, status=status) for name, status in pool.items()]

    def _matches(self, run: FlowRun, wanted: FlowRunFilter) -> bool:
        parent, deployment, state = wanted.parent_flow_run_id, wanted.deployment_id, wanted.state
        return (
            (parent is None or self.parents[run.id] in (parent.any_ or []))
            and (deployment is None or deployment.is_null_ in {None, run.deployment_id is None})
            and (state is None or state.type is None or run.state_type in (state.type.any_ or []))
        )


def _in_state(run: FlowRun, state: State) -> FlowRun:
    return run.model_copy(
        update={"state": state, "state_id": uuid4(), "state_type": state.type, "state_name": state.name}
    )


def _pools_of(wanted: WorkPoolFilter) -> list[str]:
    assert wanted.name is not None
    return wanted.name.any_ or []
