"""Prefect in memory: flow runs and workers of pools, asked as the warm worker asks a server for them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun, FlowRunPolicy, State, StateType, Worker
from prefect.events.filters import EventFilter
from prefect.settings import get_current_settings

_FLOW = UUID(int=1)
_MOST = 200
"""Rows that a server gives at most; it refuses who asks for more."""


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class MemoryPrefect:
    """What is there, by id and by name. Filters are honoured; what a server would refuse fails."""

    def __init__(self) -> None:
        self.runs: dict[UUID, FlowRun] = {}
        self.pools: dict[UUID, str | None] = {}
        self.parents: dict[UUID, UUID | None] = {}
        """The pool of each flow run, and the flow run that began it: a client isn't told of either."""
        self.workers: dict[str, dict[str, bool]] = {"etl": {}}
        """The workers of each pool, in the order in which the server gives them, and whether they send heartbeats."""
        self.meanwhile: dict[UUID, State] = {}
        """The states that flow runs get just after they have been listed."""
        self.refused: set[UUID] = set()
        """The flow runs whose state can't be set."""
        self.unanswered = 0
        """How many of the next requests to set a state are carried out, and get no answer."""
        self.speaking: set[UUID] = set()
        """The flow runs that have sent a heartbeat of late."""
        self.history: dict[UUID, list[State]] = {}
        self._asked = 0

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
        retry_type: Literal["in_process"] | None = None,
    ) -> FlowRun:
        """Add a flow run. worker: the one that its label names. pid: of its process. Returns it."""
        run = FlowRun(flow_id=_FLOW, name=f"run-{len(self.runs)}", infrastructure_pid=pid, deployment_id=deployment)
        run.empirical_policy = FlowRunPolicy(retry_type=retry_type)
        run.labels = {"prefect.worker.name": worker} if worker else {}
        self.runs[run.id] = run
        self.set(run.id, state)
        self.pools[run.id], self.parents[run.id] = pool, parent
        return self.runs[run.id]

    def said(self, run: FlowRun) -> tuple[str | None, str | None]:
        """Return the name and the message of a flow run's state now."""
        state = self.runs[run.id].state
        assert state is not None
        return state.name, state.message

    def set(self, id_: UUID, state: State) -> None:
        """Have a flow run in a state, as somebody sets it."""
        self.runs[id_] = self.runs[id_].model_copy(
            update={"state": state, "state_id": uuid4(), "state_type": state.type, "state_name": state.name}
        )
        self.history.setdefault(id_, []).append(state)

    async def read_flow_runs(
        self, *, flow_run_filter: FlowRunFilter, work_pool_filter: WorkPoolFilter | None = None, limit: int
    ) -> list[FlowRun]:
        assert 0 < limit <= _MOST
        found = [run for run in self.runs.values() if self._matches(run, flow_run_filter)]
        if work_pool_filter is not None:
            found = [run for run in found if self.pools[run.id] in _pools_of(work_pool_filter)]
        for id_, state in self.meanwhile.items():
            self.set(id_, state)
        return found

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        await asyncio.sleep(0)  # whoever else asks at the same time gets the same answer
        return self.runs[flow_run_id]

    async def read_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        return self.history[flow_run_id]

    async def update_flow_run(self, flow_run_id: UUID, *, empirical_policy: FlowRunPolicy) -> None:
        self.runs[flow_run_id] = self.runs[flow_run_id].model_copy(update={"empirical_policy": empirical_policy})

    async def request(
        self, method: str, path: str, *, path_params: Mapping[str, UUID], json: Mapping[str, Any]
    ) -> httpx.Response:
        """Set a state by Prefect's rules, without force: what has ended doesn't crash, and no transition is made twice in a row."""
        assert (method, path, json["force"]) == ("POST", "/flow_runs/{id}/set_state", False)
        assert get_current_settings().client.max_retries == 0
        run, state = self.runs[path_params["id"]], State.model_validate(json["state"])
        if run.id in self.refused:
            raise httpx.ConnectError("no server")
        assert run.state is not None
        if run.state.is_final() and state.is_crashed():
            return _answer("ABORT", None)
        if run.state.state_details.transition_id == state.state_details.transition_id:
            return _answer("REJECT", run.state)
        self.set(run.id, state)
        if self.unanswered:
            self.unanswered -= 1
            raise httpx.ReadTimeout("no answer")
        return _answer("ACCEPT", state)

    async def read_events(self, wanted: EventFilter, limit: int) -> SimpleNamespace:
        assert limit == 1
        assert wanted.resource is not None
        ids = {str(id_).removeprefix("prefect.flow-run.") for id_ in wanted.resource.id or ()}
        return SimpleNamespace(events=[id_ for id_ in self.speaking if str(id_) in ids])

    async def set_flow_run_state(
        self, flow_run_id: UUID, state: State, force: bool = False
    ) -> SimpleNamespace:  # as the client has it
        """Set a state; of those that a worker sets a server takes only this one without force."""
        if flow_run_id in self.refused:
            raise ConnectionError("no server")
        if force or state.type is StateType.CANCELLING:
            self.set(flow_run_id, state)
        return SimpleNamespace(state=self.runs[flow_run_id].state)

    async def read_workers_for_work_pool(self, work_pool_name: str, *, limit: int) -> list[Worker]:
        assert 0 < limit <= _MOST
        self._asked += 1
        beats = {False: datetime(2026, 1, 1, tzinfo=timezone.utc)}  # noqa: UP017  # Python 3.10
        beats[True] = beats[False] + timedelta(seconds=self._asked)
        return [
            Worker(name=name, work_pool_id=_FLOW, last_heartbeat_time=beats[is_there], heartbeat_interval_seconds=10)
            for name, is_there in self.workers[work_pool_name].items()
        ]

    def _matches(self, run: FlowRun, wanted: FlowRunFilter) -> bool:
        parent, deployment, state = wanted.parent_flow_run_id, wanted.deployment_id, wanted.state
        return (
            (parent is None or self.parents[run.id] in (parent.any_ or []))
            and (deployment is None or deployment.is_null_ in {None, run.deployment_id is None})
            and (state is None or _is_in(run, state))
            and (wanted.id is None or run.id in (wanted.id.any_ or []))
        )


def _is_in(run: FlowRun, wanted: FlowRunFilterState) -> bool:
    """Whether a flow run is in a state of a wanted type, or of a wanted name."""
    types, names = (wanted.type and wanted.type.any_) or [], (wanted.name and wanted.name.any_) or []
    return run.state_type in types or run.state_name in names


def _answer(status: str, state: State | None) -> httpx.Response:
    found = None if state is None else state.model_dump(mode="json")
    return httpx.Response(200, json={"status": status, "state": found})


def _pools_of(wanted: WorkPoolFilter) -> list[str]:
    assert wanted.name is not None
    return wanted.name.any_ or []
