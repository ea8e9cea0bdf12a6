"""What becomes of flow runs that nobody runs any more, without a server: who judges them, and how each of them ends."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import AwaitingRetry, Cancelling, Completed, Paused, Pending, Running, Scheduled, Suspended

from memory import Clock, MemoryPrefect
from prefect_warm_worker.contract import LostRunOutcome, OnStop
from prefect_warm_worker.worker import unchanged
from prefect_warm_worker.worker.lost import SETTLE_EVERY, LostRuns
from prefect_warm_worker.worker.once import settle_once

NOBODY = str(2**22 + 1)  # above what Linux gives as a pid
OFFLINE, ONLINE = False, True
ANEW = "Its process is gone: the worker etl-1 was started anew."
PART = ("Crashed", "The process of the flow run that it is a part of is gone.")
GONE = 3
"""Searches after which a worker that sends no heartbeats is gone: 30 s."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the time between searches."""
    clock = Clock()
    monkeypatch.setattr(unchanged, "time", clock)
    return clock


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


@pytest.fixture
def settle(prefect: MemoryPrefect, clock: Clock) -> "Settle":
    """Give what settles as a worker."""
    return Settle(prefect, clock)


class Settle:
    """Settles as a worker that searches again and again."""

    def __init__(self, prefect: MemoryPrefect, clock: Clock) -> None:
        self._prefect, self._clock = prefect, clock

    def __call__(
        self,
        *,
        others: bool = False,
        on_stop: OnStop = "finish",
        in_flight: Iterable[set[UUID]] = (),
        worker: str = "etl-1",
        searches: int = 1,
        pause: float = SETTLE_EVERY,
    ) -> tuple[list[tuple[str, str]], list[UUID]]:
        """in_flight: what it has, look by look. Returns the names and causes of runs, and what is cancelled."""
        looks, cancelled, settled = iter(in_flight), list[UUID](), list[tuple[FlowRun, str]]()
        self.given_up: list[UUID] = []
        lost = LostRuns(self._prefect.client, "etl", worker, on_stop)
        for _ in range(searches):
            looked = lost.settle(lambda: next(looks, set()), cancelled.append, self.given_up.append, others=others)
            settled += asyncio.run(looked)
            self._clock.now += pause
        return [(run.name, cause) for run, cause in settled], cancelled


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
    settle: Settle, prefect: MemoryPrefect, state: State, on_stop: OnStop, name: str
) -> None:
    run = prefect.add(state, "etl-1", NOBODY)
    assert settle(on_stop=on_stop, searches=2) == ([(run.name, "the worker etl-1 was started anew")], [])
    assert prefect.said(run) == (name, ANEW)


def test_what_is_requeued_is_due_at_once(settle: Settle, prefect: MemoryPrefect) -> None:
    run = prefect.add(Pending(), "etl-1")
    settle(searches=2)
    state = prefect.runs[run.id].state
    assert state is not None
    assert state.state_details.scheduled_time is not None
    assert state.state_details.scheduled_time <= datetime.now(timezone.utc)  # noqa: UP017  # Python 3.10


def test_a_run_whose_process_goes_on_is_left_alone(settle: Settle, prefect: MemoryPrefect, engine: str) -> None:
    left, lost = prefect.add(Running(), "etl-1", engine), prefect.add(Running(), "etl-1", str(os.getpid()))
    assert settle() == ([(lost.name, "the worker etl-1 was started anew")], [])
    assert prefect.said(left) == ("Running", None)


@pytest.mark.parametrize("worker", ["etl-1", "etl-2"])
@pytest.mark.parametrize("state", [Scheduled(), Completed(), Suspended(), Paused(), AwaitingRetry()])
def test_what_no_worker_has_is_left_alone(settle: Settle, prefect: MemoryPrefect, state: State, worker: str) -> None:
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    run = prefect.add(state, worker, NOBODY)
    assert settle(others=True, searches=9) == ([], [])
    assert prefect.runs[run.id] == run


@pytest.mark.parametrize("on_stop", ["finish", "reschedule"])
@pytest.mark.parametrize("worker", ["etl-1", "etl-2"])
def test_a_run_that_awaited_its_retry_in_its_process_is_offered_to_workers(
    settle: Settle, prefect: MemoryPrefect, worker: str, on_stop: OnStop
) -> None:
    """Its retry is due when it was, and no other state is set: whatever comes twice changes nothing."""
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    run = prefect.add(AwaitingRetry(), worker, NOBODY, retry_type="in_process")
    assert [name for name, _ in settle(others=True, on_stop=on_stop, searches=9)[0]] == [run.name]
    found = prefect.runs[run.id]
    assert (found.state, found.empirical_policy.retry_type) == (run.state, None)


def test_a_run_that_awaits_its_retry_in_its_process_is_left_alone(
    settle: Settle, prefect: MemoryPrefect, engine: str
) -> None:
    run = prefect.add(AwaitingRetry(), "etl-1", engine, retry_type="in_process")
    assert settle() == ([], [])
    assert prefect.runs[run.id] == run


def test_a_run_that_was_retried_in_its_process_is_offered_to_workers_when_it_is_requeued(
    settle: Settle, prefect: MemoryPrefect
) -> None:
    run = prefect.add(Running(), "etl-1", retry_type="in_process")
    settle(on_stop="reschedule")
    assert (prefect.said(run)[0], prefect.runs[run.id].empirical_policy.retry_type) == ("Scheduled", None)


def test_a_pending_run_may_still_name_the_worker_before(settle: Settle, prefect: MemoryPrefect) -> None:
    run = prefect.add(Pending(), "etl-1")
    assert settle() == ([], [])
    assert prefect.runs[run.id] == run


def test_a_worker_that_was_taken_for_gone_gives_up_what_another_one_runs(
    settle: Settle, prefect: MemoryPrefect
) -> None:
    """It was paused, or cut off from the server. One that it has just taken may still name the worker before."""
    own, others = prefect.add(Running(), "etl-1"), prefect.add(Running(), "etl-2")
    assert settle(in_flight=[{own.id, others.id}]) == ([], [])
    assert settle.given_up == []
    assert settle(in_flight=[{own.id, others.id}] * 2, searches=2) == ([], [])
    assert settle.given_up == [others.id]
    assert prefect.said(others) == ("Running", None)


def test_another_pools_runs_are_left_alone(settle: Settle, prefect: MemoryPrefect) -> None:
    prefect.add(Running(), "etl-1", pool="dbt")
    prefect.add(Running(), "gone", pool="dbt")
    assert settle(others=True) == ([], [])


def test_what_is_in_flight_is_left_alone_but_cancelled_where_that_is_wanted(
    settle: Settle, prefect: MemoryPrefect
) -> None:
    states: list[State] = [Running(), Cancelling(), Pending()]
    runs = [prefect.add(state, "etl-1") for state in states]
    assert settle(in_flight=[{run.id for run in runs}]) == ([], [runs[1].id])
    assert [prefect.runs[run.id] for run in runs] == runs


def test_what_has_been_taken_since_is_left_alone(settle: Settle, prefect: MemoryPrefect) -> None:
    taken, lost = prefect.add(Running(), "etl-1"), prefect.add(Running(), "etl-1")
    settled, cancelled = settle(in_flight=[set(), {taken.id}, {taken.id}])
    assert ([name for name, _ in settled], cancelled) == ([lost.name], [])
    assert prefect.said(taken) == ("Running", None)


def test_what_has_got_another_state_since_is_left_alone(settle: Settle, prefect: MemoryPrefect) -> None:
    changed, lost = prefect.add(Running(), "etl-1"), prefect.add(Running(), "etl-1")
    prefect.meanwhile[changed.id] = Running(message="taken again")
    assert [name for name, _ in settle()[0]] == [lost.name]
    assert prefect.said(changed) == ("Running", "taken again")


def test_other_workers_are_judged_only_when_asked_for(settle: Settle, prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    prefect.add(Running(), "etl-2")
    prefect.add(Pending())
    assert settle(others=False, searches=9) == ([], [])


@pytest.mark.parametrize(
    ("workers", "is_judge"),
    [
        ({}, True),
        ({"etl-1": ONLINE}, True),
        ({"etl-1": OFFLINE}, True),  # it judges, so it is there
        ({"etl-0": OFFLINE, "etl-1": ONLINE, "etl-2": ONLINE}, True),
        ({"etl-0": ONLINE, "etl-1": ONLINE}, False),
        ({"etl-0": ONLINE}, False),
    ],
)
def test_one_worker_of_those_that_are_there_judges_the_others(
    settle: Settle, prefect: MemoryPrefect, workers: dict[str, bool], is_judge: bool
) -> None:
    prefect.workers["etl"] = workers | {"gone": OFFLINE}
    run = prefect.add(Running(), "gone")
    found = [(run.name, "its worker gone is gone")] if is_judge else []
    assert settle(others=True, searches=GONE) == (found, [])
    message = "Its process is gone: its worker gone is gone."
    assert prefect.said(run) == (("Crashed", message) if is_judge else ("Running", None))


def test_a_worker_is_gone_within_a_minute_and_not_at_once(settle: Settle, prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    prefect.add(Running(), "etl-2")
    assert settle(others=True, searches=GONE - 1) == ([], [])
    assert (GONE + 1) * SETTLE_EVERY <= 60


def test_a_worker_that_the_server_does_not_know_is_gone_later(settle: Settle, prefect: MemoryPrefect) -> None:
    """It may have lost the row, and gets it again with the next heartbeat, which may be one of Prefect's own worker."""
    prefect.add(Running(), "etl-2")
    assert settle(others=True, searches=6) == ([], [])
    assert len(settle(others=True, searches=7)[0]) == 1


def test_a_run_of_a_worker_that_is_there_is_its_own(settle: Settle, prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-1": ONLINE, "etl-2": ONLINE, "etl-3": OFFLINE}
    prefect.add(Running(), "etl-2")
    prefect.add(Pending(), "etl-2")
    lost = prefect.add(Running(), "etl-3")
    assert settle(others=True, searches=9) == ([(lost.name, "its worker etl-3 is gone")], [])


def test_a_run_that_still_sends_heartbeats_outlives_its_worker(settle: Settle, prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    run, lost = prefect.add(Running(), "etl-2"), prefect.add(Running(), "etl-2")
    prefect.speaking.add(run.id)
    assert settle(others=True, searches=9) == ([(lost.name, "its worker etl-2 is gone")], [])
    assert prefect.runs[run.id] == run


def test_what_could_not_be_seen_for_a_while_is_no_silence(settle: Settle, prefect: MemoryPrefect) -> None:
    prefect.workers["etl"] = {"etl-2": OFFLINE}
    prefect.add(Running(), "etl-2")
    assert settle(others=True, searches=9, pause=2 * SETTLE_EVERY) == ([], [])


@pytest.mark.parametrize(("state", "is_lost"), [(Pending(), True), (Running(), False)])
def test_a_pending_run_that_no_worker_claims_is_lost_after_a_minute(
    settle: Settle, prefect: MemoryPrefect, state: State, is_lost: bool
) -> None:
    run = prefect.add(state)
    assert settle(others=True, searches=5) == ([], [])
    settled, _ = settle(others=True, searches=6)
    assert settled == ([(run.name, "the worker that took it is gone")] if is_lost else [])


def test_a_lost_run_takes_what_ran_in_its_process_with_it(settle: Settle, prefect: MemoryPrefect) -> None:
    above = prefect.add(Running(), "etl-1")
    child = prefect.add(Running(), pool=None, parent=above.id)
    grandchild = prefect.add(Pending(), pool=None, parent=child.id)
    ended = prefect.add(Completed(), pool=None, parent=above.id)
    deployed = prefect.add(Running(), pool="dbt", parent=above.id, deployment=uuid4())
    stranger = prefect.add(Running(), pool=None, parent=uuid4())
    settle()
    assert [prefect.said(run) for run in (child, grandchild)] == [PART, PART]
    assert [prefect.runs[run.id] for run in (ended, deployed, stranger)] == [ended, deployed, stranger]


def test_what_is_left_alone_keeps_what_runs_in_it(settle: Settle, prefect: MemoryPrefect, engine: str) -> None:
    above = prefect.add(Running(), "etl-1", engine)
    child = prefect.add(Running(), pool=None, parent=above.id)
    settle(others=True)
    assert prefect.runs[child.id] == child


@pytest.mark.parametrize(("states", "is_there"), [([], False), ([Completed()], False), ([Running()], True)])
def test_it_knows_whether_the_pool_has_unfinished_runs(
    prefect: MemoryPrefect, states: list[State], is_there: bool
) -> None:
    for state in states:
        prefect.add(state, "etl-2")
    lost = LostRuns(prefect.client, "etl", "etl-1", "finish")
    assert lost.has_unfinished  # it hasn't looked yet
    asyncio.run(lost.settle(lambda: (), lambda _: None, lambda _: None, others=False))
    assert lost.has_unfinished is is_there


def test_what_was_carried_out_without_an_answer_is_not_asked_for_again(prefect: MemoryPrefect) -> None:
    run = prefect.add(Running(), "etl-1")
    prefect.unanswered = 1
    assert asyncio.run(settle_once(prefect.client, run, LostRunOutcome.REQUEUE, "gone"))
    assert [state.name for state in prefect.history[run.id]] == ["Running", "Scheduled"]


def test_what_was_carried_out_and_taken_meanwhile_is_not_asked_for_again(
    prefect: MemoryPrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time until a request without an answer is given up is long enough for another worker to begin the run."""
    run = prefect.add(Running(), "etl-1")
    prefect.unanswered = 1
    read = prefect.read_flow_run

    async def read_after_another_took_it(id_: UUID) -> FlowRun:
        if prefect.said(run)[0] == "Scheduled":
            prefect.set(id_, Pending())
            prefect.set(id_, Running(message="again"))
        return await read(id_)

    monkeypatch.setattr(prefect, "read_flow_run", read_after_another_took_it)
    assert asyncio.run(settle_once(prefect.client, run, LostRunOutcome.REQUEUE, "gone"))
    assert prefect.said(run) == ("Running", "again")


def test_what_never_arrived_is_asked_for_again_and_fails_in_the_end(prefect: MemoryPrefect) -> None:
    run = prefect.add(Running(), "etl-1")
    prefect.refused.add(run.id)
    with pytest.raises(httpx.ConnectError):
        asyncio.run(settle_once(prefect.client, run, LostRunOutcome.CRASH, "gone"))
    prefect.refused.clear()
    assert asyncio.run(settle_once(prefect.client, run, LostRunOutcome.CRASH, "gone"))
    assert not asyncio.run(settle_once(prefect.client, run, LostRunOutcome.REQUEUE, "gone"))
    assert prefect.said(run) == ("Crashed", "gone")


def test_what_ends_while_it_is_judged_keeps_its_end(prefect: MemoryPrefect, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prefect.add(Running(), "etl-1")

    async def read_just_before_its_end(id_: UUID) -> FlowRun:
        found = prefect.runs[id_]
        prefect.set(id_, Completed())
        return found

    monkeypatch.setattr(prefect, "read_flow_run", read_just_before_its_end)
    assert not asyncio.run(settle_once(prefect.client, run, LostRunOutcome.CRASH, "gone"))
    assert prefect.said(run) == ("Completed", None)


def test_two_who_judge_at_once_settle_a_run_once(prefect: MemoryPrefect) -> None:
    run = prefect.add(Running(), "etl-1")

    async def both() -> list[bool]:
        each = (settle_once(prefect.client, run, LostRunOutcome.REQUEUE, "gone") for _ in range(2))
        return await asyncio.gather(*each)

    asyncio.run(both())
    assert [state.name for state in prefect.history[run.id]] == ["Running", "Scheduled"]
