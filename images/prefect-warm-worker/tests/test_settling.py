"""What becomes of flow runs that nobody runs any more, without a server: who judges them, and how each of them ends."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import State, WorkerStatus
from prefect.states import Cancelling, Completed, Pending, Running, Scheduled, Suspended

from memory import MemoryPrefect
from prefect_warm_worker.contract import OnStop
from prefect_warm_worker.worker.lost import LostRuns

NOBODY = str(2**22 + 1)  # above what Linux gives as a pid
OFFLINE, ONLINE = WorkerStatus.OFFLINE, WorkerStatus.ONLINE
ANEW = "Its process is gone: the worker etl-1 was started anew."
PART = ("Crashed", "The process of the flow run that it is a part of is gone.")


@pytest.fixture
def prefect() -> MemoryPrefect:
    """Give an empty Prefect."""
    return MemoryPrefect()


@pytest.fixture
def engine() -> Iterator[str]:
    """Give the pid of a process that looks as one that runs a flow."""
    wait = "import sys; print(flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", wait, "prefect.engine"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # now it is what it looks as
        yield str(child.pid)
        child.kill()


def settle(
    prefect: MemoryPrefect,
    *,
    others: bool = False,
    on_stop: OnStop = "finish",
    in_flight: Iterable[set[UUID]] = (),
    worker: str = "etl-1",
) -> tuple[list[tuple[str, str]], list[UUID]]:
    """Settle as a worker. in_flight: what it has, look by look. Returns the names and causes of runs, and what is cancelled."""
    looks, cancelled = iter(in_flight), list[UUID]()
    lost = LostRuns(prefect.client, "etl", worker, on_stop)
    settled = asyncio.run(lost.settle(lambda: next(looks, set()), cancelled.append, others=others))
    return [(run.name, cause) for run, cause in settled], cancelled


def ago(seconds: float) -> State:
    """Return a pending state of some seconds ago."""
    return Pending(timestamp=datetime.now(timezone.utc) - timedelta(seconds=seconds))  # noqa: UP017  # Python 3.10


@pytest.mark.parametrize(
    ("state", "on_stop", "name"),
    [
        (Pending(), "finish", "Scheduled"),
        (Pending(), "reschedule", "Scheduled"),
        (Running(), "finish", "Crashed"),
        (Running(), "reschedule", "Scheduled"),
        (Cancelling(), "finish", "Cancelled"),
        (Cancelling(), "reschedule", "Cancelled"),
    ],
)
def test_what_the_worker_had_in_an_earlier_life_is_settled(
    prefect: MemoryPrefect, state: State, on_stop: OnStop, name: str
) -> None:
    run = prefect.add(state, "etl-1", NOBODY)
    assert settle(prefect, on_stop=on_stop) == ([(run.name, "the worker etl-1 was started anew")], [])
    assert prefect.said(run) == (name, ANEW)


def test_what_is_requeued_is_due_at_once(prefect: MemoryPrefect) -> None:
    run = prefect.add(Pending(), "etl-1")
    settle(prefect)
    state = prefect.runs[run.id].state
    assert state is not None
    assert state.state_details.scheduled_time is not None
    assert state.state_details.scheduled_time <= datetime.now(timezone.utc)  # noqa: UP017  # Python 3.10


def test_a_run_whose_process_goes_on_is_left_alone(prefect: MemoryPrefect, engine: str) -> None:
    left, lost = prefect.add(Running(), "etl-1", engine), prefect.add(Running(), "etl-1", str(os.getpid()))
    assert settle(prefect) == ([(lost.name, "the worker etl-1 was started anew")], [])
    assert prefect.said(left) == ("Running", None)


@pytest.mark.parametrize("state", [Scheduled(), Completed(), Suspended()])
def test_what_no_worker_has_is_left_alone(prefect: MemoryPrefect, state: State) -> None:
    run = prefect.add(state, "etl-1")
    assert settle(prefect, others=True) == ([], [])
    assert prefect.runs[run.id] == run


def test_another_pools_runs_are_left_alone(prefect: MemoryPrefect) -> None:
    prefect.add(Running(), "etl-1", pool="dbt")
    prefect.add(Running(), "gone", pool="dbt")
    assert settle(prefect, others=True) == ([], [])


def test_what_is_in_flight_is_left_alone_but_cancelled_where_that_is_wanted(prefect: MemoryPrefect) -> None:
    states: list[State] = [Running(), Cancelling(), Pending()]
    runs = [prefect.add(state, "etl-1") for state in states]
    assert settle(prefect, in_flight=[{run.id for run in runs}]) == ([], [runs[1].id])
    assert [prefect.runs[run.id] for run in runs] == runs


def test_what_has_been_taken_since_is_left_alone(prefect: MemoryPrefect) -> None:
    taken, lost = prefect.add(Pending(), "etl-1"), prefect.add(Pending(), "etl-1")
    settled, cancelled = settle(prefect, in_flight=[set(), {taken.id}, {taken.id}])
    assert ([name for name, _ in settled], cancelled) == ([lost.name], [])
    assert prefect.said(taken) == ("Pending", None)


def test_what_has_got_another_state_since_is_left_alone(prefect: MemoryPrefect) -> None:
    changed, lost = prefect.add(Running(), "etl-1"), prefect.add(Running(), "etl-1")
    prefect.meanwhile[changed.id] = Running(message="taken again")
    assert [name for name, _ in settle(prefect)[0]] == [lost.name]
    assert prefect.said(changed) == ("Running", "taken again")


def test_other_workers_are_judged_only_when_asked_for(prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    prefect.add(Running(), "etl-2")
    prefect.add(ago(61))
    assert settle(prefect, others=False) == ([], [])


@pytest.mark.parametrize(
    ("workers", "is_judge"),
    [
        ({}, True),
        ({"etl-1": ONLINE}, True),
        ({"etl-1": OFFLINE}, True),  # it judges, so it is online
        ({"etl-0": OFFLINE, "etl-1": ONLINE, "etl-2": ONLINE}, True),
        ({"etl-0": ONLINE, "etl-1": ONLINE}, False),
        ({"etl-0": ONLINE}, False),
    ],
)
def test_one_worker_of_those_online_judges_the_others(
    prefect: MemoryPrefect, workers: dict[str, WorkerStatus], is_judge: bool
) -> None:
    prefect.workers["etl"] = workers
    run = prefect.add(Running(), "gone")
    found = [(run.name, "its worker gone is offline")] if is_judge else []
    assert settle(prefect, others=True) == (found, [])
    message = "Its process is gone: its worker gone is offline."
    assert prefect.said(run) == (("Crashed", message) if is_judge else ("Running", None))


def test_a_run_of_a_worker_that_is_online_is_its_own(prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-1": ONLINE, "etl-2": ONLINE, "etl-3": OFFLINE}
    prefect.add(Running(), "etl-2")
    prefect.add(ago(61), "etl-2")
    lost = prefect.add(Running(), "etl-3")
    assert settle(prefect, others=True) == ([(lost.name, "its worker etl-3 is offline")], [])


@pytest.mark.parametrize(
    ("begin", "is_lost"),
    [
        (lambda: ago(62), True),
        (lambda: ago(30), False),
        (lambda: Running(timestamp=ago(600).timestamp), False),
    ],
)
def test_a_run_that_no_worker_claims_is_lost_after_a_minute(
    prefect: MemoryPrefect, begin: Callable[[], State], is_lost: bool
) -> None:
    run = prefect.add(begin())  # now, and not when the tests are collected
    settled, _ = settle(prefect, others=True)
    assert settled == ([(run.name, "the worker that took it is gone")] if is_lost else [])


def test_a_lost_run_takes_what_ran_in_its_process_with_it(prefect: MemoryPrefect) -> None:
    above = prefect.add(Running(), "etl-1")
    child = prefect.add(Running(), pool=None, parent=above.id)
    grandchild = prefect.add(Pending(), pool=None, parent=child.id)
    ended = prefect.add(Completed(), pool=None, parent=above.id)
    deployed = prefect.add(Running(), pool="dbt", parent=above.id, deployment=uuid4())
    stranger = prefect.add(Running(), pool=None, parent=uuid4())
    settle(prefect)
    assert [prefect.said(run) for run in (child, grandchild)] == [PART, PART]
    assert [prefect.runs[run.id] for run in (ended, deployed, stranger)] == [ended, deployed, stranger]


def test_what_is_left_alone_keeps_what_runs_in_it(prefect: MemoryPrefect, engine: str) -> None:
    above = prefect.add(Running(), "etl-1", engine)
    child = prefect.add(Running(), pool=None, parent=above.id)
    settle(prefect, others=True)
    assert prefect.runs[child.id] == child


@pytest.mark.parametrize(("states", "is_there"), [([], False), ([Completed()], False), ([Running()], True)])
def test_it_knows_whether_the_pool_has_unfinished_runs(
    prefect: MemoryPrefect, states: list[State], is_there: bool
) -> None:
    for state in states:
        prefect.add(state, "etl-2")
    lost = LostRuns(prefect.client, "etl", "etl-1", "finish")
    assert lost.has_unfinished  # it hasn't looked yet
    asyncio.run(lost.settle(lambda: (), lambda _: None, others=False))
    assert lost.has_unfinished is is_there
