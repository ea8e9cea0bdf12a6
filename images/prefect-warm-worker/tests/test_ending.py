"""How a worker that is told to stop ends: it waits for its flow runs, then cancels them or hands them back."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import AwaitingRetry, Cancelling, Completed, Paused, Running

from memory import MemoryPrefect
from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.worker import in_flight
from prefect_warm_worker.worker.in_flight import Ending, InFlight
from prefect_warm_worker.worker.lost import LostRuns
from prefect_warm_worker.worker.stop import Stop

WHY = "Its worker etl-1 was stopped"
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Clock:
    """A time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.at: dict[float, Callable[[], None]] = {}
        """What happens once it is as late as that."""

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        for time in [time for time in self.at if time <= self.now]:
            self.at.pop(time)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the time by which flow runs are waited for."""
    clock = Clock()
    monkeypatch.setattr(in_flight, "time", clock)
    rest = {name: getattr(asyncio, name) for name in ("gather", "wait_for", "TimeoutError")}
    monkeypatch.setattr(in_flight, "asyncio", SimpleNamespace(sleep=clock.sleep, **rest))
    return clock


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """Give what is logged of the worker and of flow runs, which no server gets."""
    records, loggers = Records(), [logging.getLogger(name) for name in ("prefect.flow_runs", "prefect.warm_worker")]
    for logger in loggers:
        logger.addHandler(records)
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield records.found
    for logger in loggers:
        logger.removeHandler(records)


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    """Give a process that runs until it is killed, in a session of its own."""
    waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, start_new_session=True) as child:
        yield child
        child.kill()


def test_in_flight_is_what_is_about_to_begin_and_what_is_held() -> None:
    soon, held, run = uuid4(), uuid4(), ForkedRun(1)
    runs = InFlight({soon})
    with runs.holding(held):
        assert (runs.ids(), runs.begun(), runs.process_of(held)) == ({soon, held}, [(held, None)], None)
        runs.note(held, run)
        assert (runs.begun(), runs.process_of(held), runs.process_of(soon)) == ([(held, run)], run, None)
        assert (held in runs, soon in runs) == (True, False)
    assert (runs.ids(), runs.begun(), runs.process_of(held), held in runs) == ({soon}, [], None, False)


def test_a_run_that_fails_is_in_flight_no_more() -> None:
    runs = InFlight(set())

    with pytest.raises(ValueError, match="the flow failed"), runs.holding(uuid4()):
        raise ValueError("the flow failed")
    assert runs.ids() == set()


def test_without_runs_nothing_is_waited_for(clock: Clock) -> None:
    assert asyncio.run(InFlight(set()).are_through(0))
    assert clock.now == 1000


def test_runs_are_waited_for_until_they_end(clock: Clock) -> None:
    submitting: set[UUID] = {uuid4()}
    clock.at[1008] = submitting.clear
    assert asyncio.run(InFlight(submitting).are_through(10))
    assert 1008 <= clock.now < 1009


def test_runs_are_waited_for_as_long_as_the_grace_period(clock: Clock) -> None:
    assert not asyncio.run(InFlight({uuid4()}).are_through(10))
    assert 1010 <= clock.now < 1011


def test_a_hurry_ends_the_waiting(clock: Clock) -> None:
    hurried = asyncio.Event()
    clock.at[1003] = hurried.set
    assert not asyncio.run(InFlight({uuid4()}).are_through(10, until=hurried))
    assert 1003 <= clock.now < 1004


def end(prefect: MemoryPrefect, runs: dict[UUID, ForkedRun | None], *, is_rescheduled: bool) -> None:
    """End flow runs, each with its process, as a worker that is stopped."""

    async def check() -> None:
        held, lost = InFlight(set()), LostRuns(prefect.client, "etl", "etl-1", "finish")
        with contextlib.ExitStack() as stack:
            for id_, run in runs.items():
                stack.enter_context(held.holding(id_))
                if run is not None:
                    held.note(id_, run)
                    run.watch()
            await Ending(prefect.client, lost, WHY).end(held, is_rescheduled=is_rescheduled)

    asyncio.run(check())


def add_running(prefect: MemoryPrefect) -> tuple[FlowRun, FlowRun]:
    """Add a flow run, and one that runs in its process."""
    run = prefect.add(Running(), "etl-1")
    return run, prefect.add(Running(), pool=None, parent=run.id)


def test_what_is_not_to_be_rescheduled_is_cancelled(
    clock: Clock, logged: list[logging.LogRecord], process: "subprocess.Popen[bytes]"
) -> None:
    prefect = MemoryPrefect()
    run, below = add_running(prefect)
    end(prefect, {run.id: ForkedRun(process.pid)}, is_rescheduled=False)
    assert prefect.said(run) == ("Cancelling", f"{WHY}.")
    assert prefect.runs[below.id] == below  # Prefect's own executor ends what is cancelled
    assert process.poll() is None
    assert [(vars(record)["flow_run_id"], record.getMessage()) for record in logged] == [
        (str(run.id), f"{WHY}: it is cancelled.")
    ]
    assert 1030 <= clock.now < 1031  # what is cancelled gets that long to end


@pytest.mark.usefixtures("clock")
def test_what_is_to_be_rescheduled_is_killed_and_due_again(process: "subprocess.Popen[bytes]") -> None:
    prefect = MemoryPrefect()
    run, below = add_running(prefect)
    forked = ForkedRun(process.pid)
    end(prefect, {run.id: forked}, is_rescheduled=True)
    assert prefect.said(run) == ("Scheduled", f"{WHY} before the flow run was through.")
    assert prefect.said(below)[0] == "Crashed"
    assert (forked.returncode, forked.reason) == (0, WHY)  # handed back, so it hasn't failed


@pytest.mark.usefixtures("clock")
def test_what_ended_before_it_was_killed_keeps_its_state(process: "subprocess.Popen[bytes]") -> None:
    prefect = MemoryPrefect()
    run = prefect.add(Completed(message="All states completed."), "etl-1")
    end(prefect, {run.id: ForkedRun(process.pid)}, is_rescheduled=True)
    assert prefect.said(run) == ("Completed", "All states completed.")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("state", "name"), [(Cancelling(), "Cancelled"), (Paused(), "Paused"), (AwaitingRetry(), "AwaitingRetry")]
)
def test_what_is_killed_to_be_handed_back_ends_as_its_state_wants(
    process: "subprocess.Popen[bytes]", state: State, name: str
) -> None:
    prefect = MemoryPrefect()
    run = prefect.add(state, "etl-1", retry_type="in_process")
    end(prefect, {run.id: ForkedRun(process.pid)}, is_rescheduled=True)
    assert prefect.said(run)[0] == name
    is_offered = prefect.runs[run.id].empirical_policy.retry_type is None
    assert is_offered == (name == "AwaitingRetry")


@pytest.mark.usefixtures("clock")
def test_a_hand_over_without_an_answer_is_not_repeated(process: "subprocess.Popen[bytes]") -> None:
    prefect = MemoryPrefect()
    run, below = add_running(prefect)
    prefect.unanswered = 1
    end(prefect, {run.id: ForkedRun(process.pid)}, is_rescheduled=True)
    assert [state.name for state in prefect.history[run.id]] == ["Running", "Scheduled"]
    assert prefect.said(below)[0] == "Crashed"


@pytest.mark.usefixtures("clock", "logged")
def test_what_has_no_process_of_ours_is_cancelled_instead() -> None:
    prefect = MemoryPrefect()
    run, below = add_running(prefect)
    end(prefect, {run.id: None}, is_rescheduled=True)
    assert prefect.said(run) == ("Cancelling", f"{WHY}.")
    assert prefect.runs[below.id] == below


@pytest.mark.parametrize("is_rescheduled", [True, False])
def test_what_cant_be_ended_hinders_no_other(
    clock: Clock, logged: list[logging.LogRecord], is_rescheduled: bool
) -> None:
    prefect = MemoryPrefect()
    refused, ended = add_running(prefect)[0], add_running(prefect)[0]
    prefect.refused.add(refused.id)
    end(prefect, {refused.id: None, ended.id: None}, is_rescheduled=is_rescheduled)
    assert (prefect.said(refused)[0], prefect.said(ended)[0]) == ("Running", "Cancelling")
    errors = [record.getMessage() for record in logged if record.levelno == logging.ERROR]
    assert errors == ["The state of a flow run could not be set: no server"]
    assert clock.now >= 1030


def test_a_server_that_does_not_answer_keeps_no_worker_from_stopping(
    logged: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_flight, "CANCELLATION_SECONDS", 0.01)
    prefect = MemoryPrefect()
    run = add_running(prefect)[0]
    monkeypatch.setattr(prefect, "set_flow_run_state", lambda *_, **__: asyncio.Event().wait())
    end(prefect, {run.id: None}, is_rescheduled=False)
    assert prefect.said(run)[0] == "Running"
    errors = [record.getMessage() for record in logged if record.levelno == logging.ERROR]
    assert errors == ["The states of flow runs could not be set: the server doesn't answer."]


def test_the_first_signal_asks_the_second_hurries_the_third_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    stop = Stop()
    assert (stop.asked.is_set(), stop.hurried.is_set()) == (False, False)
    stop.tell()
    assert (stop.asked.is_set(), stop.hurried.is_set()) == (True, False)
    stop.tell()
    assert (stop.hurried.is_set(), killed) == (True, [])
    stop.tell()
    assert killed == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_are_heard_within_the_body_and_given_back(number: signal.Signals) -> None:
    async def check() -> None:
        former, stop = [signal.getsignal(each) for each in SIGNALS], Stop()
        with stop.listening():
            assert all(signal.getsignal(each) not in former for each in SIGNALS)
            os.kill(os.getpid(), number)
            await asyncio.wait_for(stop.asked.wait(), 10)
        assert [signal.getsignal(each) for each in SIGNALS] == former
        assert not asyncio.get_running_loop().remove_signal_handler(number)

    asyncio.run(check())


def test_a_thread_that_cant_hear_signals_goes_on_without() -> None:
    former = [signal.getsignal(each) for each in SIGNALS]
    found: list[object] = []

    async def check() -> None:
        with Stop().listening():
            found.append([signal.getsignal(each) for each in SIGNALS])

    thread = threading.Thread(target=lambda: asyncio.run(check()))
    thread.start()
    thread.join()
    assert found == [former]
