"""Flow runs that somebody else suspends: the worker hears of it for all of its runs, and tells each of them."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import State, StateType
from prefect.events import Event
from prefect.exceptions import ObjectNotFound

_PAUSE = 0.5
"""Seconds between two looks for what an event has told, or for the process that is to be told."""
_SUSPENDED = "Suspended"
"""The name of the state."""
_MOST = 200
"""Flow runs that a server names at most at once."""

Tell = Callable[[UUID, State], bool]


class Suspensions:
    """Tells flow runs that they are suspended."""

    def __init__(self, client: PrefectClient, in_flight: Callable[[], Collection[UUID]], tell: Tell) -> None:
        """tell: tells a run of its state; False where it has no process to be told (yet)."""
        self._client, self._in_flight, self._tell = client, in_flight, tell

    async def heed(self, event: Event | None) -> None:
        """Tell a flow run that an event says that it was suspended. None for where events may have been missed."""
        if event is None:
            await self._look()
        else:  # it has the id and the time of the state
            await self._confirm(UUID(event.resource.id.removeprefix("prefect.flow-run.")), event.id, event.occurred)

    async def _look(self) -> None:
        while ids := list(self._in_flight()):
            suspended = FlowRunFilterState(name=FlowRunFilterStateName(any_=[_SUSPENDED]))
            wanted = FlowRunFilter(id=FlowRunFilterId(any_=ids), state=suspended)
            try:
                found = await self._client.read_flow_runs(flow_run_filter=wanted, limit=_MOST)
            except httpx.HTTPError:
                await asyncio.sleep(_PAUSE)
            else:
                await asyncio.gather(*(self._tell_soon(run.id, run.state) for run in found if run.state is not None))
                return

    async def _confirm(self, flow_run: UUID, state_id: UUID, occurred: datetime) -> None:
        """Tell a flow run of its state once the server shows it; one that was resumed since must stop all the same."""
        while flow_run in self._in_flight():
            state = await self._read(flow_run)
            if state is not None and state.name != _SUSPENDED and state.timestamp >= occurred:
                state = State(id=state_id, type=StateType.PAUSED, name=_SUSPENDED, timestamp=occurred)
            if state is not None and state.name == _SUSPENDED:
                await self._tell_soon(flow_run, state)
                return
            await asyncio.sleep(_PAUSE)

    async def _read(self, flow_run: UUID) -> State | None:
        try:
            return (await self._client.read_flow_run(flow_run)).state
        except (httpx.HTTPError, ObjectNotFound):
            return None

    async def _tell_soon(self, flow_run: UUID, state: State) -> None:
        while flow_run in self._in_flight() and not self._tell(flow_run, state):
            await asyncio.sleep(_PAUSE)
