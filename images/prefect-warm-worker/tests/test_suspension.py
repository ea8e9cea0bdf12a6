"""A run that somebody else suspends is told so by its worker, and listens for itself when its worker is gone."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import flow_engine
from prefect.client.schemas.objects import State
from prefect.events import Event, Resource
from prefect.exceptions import Pause
from prefect.states import Running, Scheduled, Suspended

from memory import MemoryPrefect
from prefect_warm_worker._prefect import suspension
from prefect_warm_worker.worker.suspensions import Suspensions

pytestmark = pytest.mark.skipif(not suspension.CAN_BE_TOLD, reason="Prefect 3.7 has introduced it")
RUN = uuid4()


def suspended() -> State:
    """Return the state of a run that somebody suspends now."""
    state: State = Suspended(timeout_seconds=9)
    return state


class Observer:
    """Prefect's own way for a run to listen: what it is used for, and the state that it hears of."""

    def __init__(self) -> None:
        self.observed: list[UUID] = []
        self.state: State | None = None
        self.listens = threading.Event()

    @contextmanager
    def __call__(self, flow_run_id: UUID, suspension_request: Any) -> Iterator[None]:  # noqa: ANN401  # Prefect's
        self.observed.append(flow_run_id)
        if self.state is not None:
            suspension_request.mark_requested(self.state)
        self.listens.set()
        yield


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Observer:
    """Have this process be a run's, whose worker listens."""
    private, observer = suspension._suspension, Observer()
    monkeypatch.setattr(flow_engine, "observe_flow_run_suspension", private.observe_flow_run_suspension)
    monkeypatch.setattr(private, "observe_flow_run_suspension", observer)
    monkeypatch.setattr(private.FlowRunSuspensionRequest, "get_state", private.FlowRunSuspensionRequest.get_state)
    monkeypatch.setattr(suspension, "_file", None)
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(RUN))
    suspension.let_worker_listen()
    suspension.hear_from(str(tmp_path / "suspended.json"))
    return observer


@contextmanager
def running(flow_run: UUID = RUN) -> Iterator[Any]:
    """Observe as an engine does."""
    request = suspension._suspension.FlowRunSuspensionRequest()
    with vars(flow_engine)["observe_flow_run_suspension"](flow_run, request):
        yield request


def test_a_run_that_is_told_pauses_and_listens_to_nobody(observer: Observer, tmp_path: Path) -> None:
    state = suspended()
    with running() as request:
        assert not request.is_requested()
        suspension.write_suspended(tmp_path / "suspended.json", state)
        with pytest.raises(Pause) as raised:
            request.raise_if_requested()
    assert raised.value.state == state
    assert observer.observed == []


def test_a_run_whose_worker_is_gone_listens_for_itself(observer: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
    observer.state = suspended()
    parent = os.getppid()
    with running() as request:
        monkeypatch.setattr(os, "getppid", lambda: parent + 1)
        request.is_requested()
        assert observer.listens.wait(10)
        with pytest.raises(Pause):
            request.raise_if_requested()
    assert observer.observed == [RUN]


@pytest.mark.parametrize("is_told", [True, False])
def test_another_run_within_its_process_listens_for_itself(
    observer: Observer, monkeypatch: pytest.MonkeyPatch, *, is_told: bool
) -> None:
    if not is_told:
        monkeypatch.setattr(suspension, "_file", None)
    flow_run = uuid4() if is_told else RUN
    with running(flow_run) as request:
        assert not request.is_requested()
    assert observer.observed == [flow_run]


def test_a_request_of_another_run_is_not_this_ones(observer: Observer, tmp_path: Path) -> None:
    with running():
        suspension.write_suspended(tmp_path / "suspended.json", suspended())
        assert suspension._suspension.FlowRunSuspensionRequest().get_state() is None
    assert observer.observed == []


def heed(prefect: MemoryPrefect, event: Event | None, *, has_process: bool = True) -> list[tuple[UUID, State]]:
    """Have a worker with all runs in flight heed an event. Returns what it told. has_process: whether at the first attempt."""
    told: list[tuple[UUID, State]] = []
    attempts = iter([has_process])

    def tell(flow_run: UUID, state: State) -> bool:
        if next(attempts, True):
            told.append((flow_run, state))
            return True
        return False

    asyncio.run(Suspensions(prefect.client, lambda: set(prefect.runs), tell).heed(event))
    return told


def event_of(flow_run: UUID, state: State) -> Event:
    """Return the event that a flow run is in a state."""
    resource = Resource({"prefect.resource.id": f"prefect.flow-run.{flow_run}"})
    return Event(id=state.id, event="prefect.flow-run.Suspended", resource=resource, occurred=state.timestamp)


@pytest.mark.parametrize("has_process", [True, False])
def test_a_worker_tells_a_run_that_it_was_suspended(*, has_process: bool) -> None:
    prefect, state = MemoryPrefect(), suspended()
    run = prefect.add(state)
    assert heed(prefect, event_of(run.id, state), has_process=has_process) == [(run.id, state)]


def test_a_run_that_was_resumed_at_once_is_told_all_the_same() -> None:
    prefect, state = MemoryPrefect(), suspended()
    run = prefect.add(Scheduled())
    [(told, found)] = heed(prefect, event_of(run.id, state.model_copy(update={"timestamp": _before(prefect, run.id)})))
    assert (told, found.id, found.name, found.is_paused()) == (run.id, state.id, "Suspended", True)


def _before(prefect: MemoryPrefect, flow_run: UUID) -> Any:  # noqa: ANN401  # a time
    state = prefect.runs[flow_run].state
    assert state is not None
    return state.timestamp - timedelta(seconds=1)


def test_a_worker_waits_until_the_server_shows_what_an_event_told() -> None:
    prefect, state = MemoryPrefect(), suspended()
    run = prefect.add(Running(timestamp=state.timestamp - timedelta(seconds=1)))
    read = prefect.read_flow_run

    async def read_late(flow_run_id: UUID) -> Any:  # noqa: ANN401  # a flow run
        found = await read(flow_run_id)
        prefect.runs[run.id] = found.model_copy(update={"state": state})
        return found

    prefect.read_flow_run = read_late  # type: ignore[method-assign]
    assert heed(prefect, event_of(run.id, state)) == [(run.id, state)]


def test_another_workers_run_is_none_of_its_business() -> None:
    state = suspended()
    assert heed(MemoryPrefect(), event_of(uuid4(), state)) == []


def test_a_worker_that_may_have_missed_events_looks_for_suspended_runs() -> None:
    prefect, state = MemoryPrefect(), suspended()
    run = prefect.add(state)
    prefect.add(Running())
    assert heed(prefect, None) == [(run.id, state)]
