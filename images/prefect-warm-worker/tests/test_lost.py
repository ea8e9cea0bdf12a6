"""No flow run is lost: not when its worker stops, not when it is killed, not when the run takes what it may not."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import State
from prefect.states import (
    AwaitingRetry,
    Cancelled,
    Cancelling,
    Completed,
    Paused,
    Pending,
    Running,
    Scheduled,
    Suspended,
)

from memory import Clock
from pools import Pools, Run, free_port, open_pools, wait
from prefect_warm_worker.contract import LostRunOutcome, OnStop
from prefect_warm_worker.worker import unchanged
from prefect_warm_worker.worker.lost import SETTLE_EVERY, LostRuns
from prefect_warm_worker.worker.once import settle_once
from scenarios import Scenario

pytestmark = pytest.mark.comparison
ATTENTIVE = "prefect_warm_worker"
"""What starts a process worker that sees to lost runs."""
NAP = Scenario("nap", "waits.py:nap", "Completed", parameters={"seconds": 60})
TALK = Scenario("talk", "waits.py:talk", "Completed", parameters={"seconds": 15})
SHORT = Scenario("short", "waits.py:nap", "Completed", parameters={"seconds": 4})
NEW = Scenario(
    "new process", "waits.py:nap", "Cancelled", parameters={"seconds": 60}, variables={"env": {"LC_ALL": "C"}}
)
SHORT_NEW = Scenario(
    "short new process", "waits.py:nap", "Completed", parameters={"seconds": 4}, variables={"env": {"LC_ALL": "C"}}
)
ABOVE = Scenario("above", "waits.py:above", "Completed", parameters={"seconds": 60})
EAT = Scenario("eat", "waits.py:eat", "Crashed", parameters={"mebibytes": 500}, variables={"memory_limit": "200m"})
LATE = Scenario("late nap", "waits.py:nap", "Crashed", parameters={"seconds": 60}, variables={"max_run_seconds": 2})


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pools]:
    """Give a server, and pools whose workers each test starts."""
    with open_pools(tmp_path_factory.mktemp("lost")) as opened:
        for scenario in (NAP, TALK, SHORT, NEW, SHORT_NEW, ABOVE, EAT, LATE):
            opened.deploy(scenario, "warm")
        for scenario in (NAP, SHORT):
            opened.deploy(scenario, "process")
        yield opened


def begin(stage: Pools, scenario: Scenario, name: str) -> Run:
    """Begin a run, and wait until its flow has begun."""
    run = stage.begin(scenario, "warm", name=name)
    run.wait_for_file("began")
    return run


def stop(worker: "subprocess.Popen[bytes]") -> None:
    """Stop a worker as `tini -g` does, with a signal to all of its process group, and see that it ends well."""
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(60) == 0


def kill_all(worker: "subprocess.Popen[bytes]", *runs: Run) -> None:
    """Kill a worker and what it runs, as the end of a container does."""
    pids = [int(run.read().infrastructure_pid or 0) for run in runs]
    worker.kill()
    worker.wait()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def messages(run: Run) -> str:
    """Return the log of a run."""
    return "\n".join(line.message for line in run.logs())


def test_a_worker_that_is_stopped_lets_runs_finish_and_cancels_the_rest(stage: Pools) -> None:
    worker = stage.start_worker("warm", name="stops", PREFECT_WARM_WORKER_GRACE="8")
    long = begin(stage, NAP, "cancelled at the end")
    short = [begin(stage, scenario, f"{scenario.name}, through in time") for scenario in (SHORT_NEW, SHORT)]
    stop(worker)
    assert [run.read().state_name for run in short] == ["Completed", "Completed"]
    assert long.read().state_name == "Cancelled"
    assert (long.told / "hook Cancelling").exists()
    assert "Its worker stops was stopped" in messages(long)


def test_a_worker_hands_back_what_is_not_through(stage: Pools) -> None:
    worker = stage.start_worker(
        "warm", name="returns", PREFECT_WARM_WORKER_GRACE="0", PREFECT_WARM_WORKER_ON_STOP="reschedule"
    )
    above, run = begin(stage, ABOVE, "above, handed back"), begin(stage, NAP, "handed back")
    wait(lambda: below(stage, above), lambda found: found == ["Running"])
    stop(worker)
    for returned in (above, run):
        found = returned.read()
        assert found.state_name == "Scheduled"
        assert found.state is not None
        assert found.state.message == "Its worker returns was stopped before the flow run was through."
    assert below(stage, above) == ["Crashed"]
    again = stage.start_worker("warm", name="takes", PREFECT_WARM_WORKER_GRACE="0")
    wait(lambda: (run.told / "began").read_text().splitlines(), lambda pids: len(set(pids)) == 2)
    stop(again)


def below(stage: Pools, run: Run) -> list[str | None]:
    """Return the states of the flow runs within one."""
    wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]))
    return [found.state_name for found in stage.client.read_flow_runs(flow_run_filter=wanted)]


def test_what_a_killed_worker_left_is_crashed_by_its_successor(stage: Pools) -> None:
    worker = stage.start_worker("warm", name="dies")
    run = begin(stage, NAP, "lost")
    wait(run.read, lambda found: bool(found.infrastructure_pid))
    kill_all(worker, run)
    successor = stage.start_worker("warm", name="dies", PREFECT_WARM_WORKER_GRACE="0")
    found = run.wait_until("Crashed")
    assert found.state is not None
    assert found.state.message == "Its process is gone: the worker dies was started anew."
    stop(successor)


def contains(part: str, text: str) -> bool:
    """Whether a text has a part."""
    return part in text


def test_a_run_that_outlives_its_worker_is_left_to_end(stage: Pools) -> None:
    worker = stage.start_worker("warm", name="leaves")
    run = begin(stage, TALK, "outlives")
    wait(run.read, lambda found: bool(found.infrastructure_pid))
    worker.kill()
    worker.wait()
    successor = stage.start_worker("warm", name="leaves", PREFECT_WARM_WORKER_GRACE="0")
    run.wait_until("Completed")
    stop(successor)


def test_the_end_of_a_run_begins_the_next_one(stage: Pools) -> None:
    worker = stage.start_worker("warm", name="waits", limit=1, PREFECT_WORKER_QUERY_SECONDS="600")
    for run in [begin(stage, SHORT, "first"), stage.begin(SHORT, "warm", name="second")]:
        run.wait_until("Completed")
    stop(worker)


def test_a_run_in_a_process_of_its_own_is_cancelled(stage: Pools) -> None:
    worker = stage.start_worker("warm", name="cancels")
    run = begin(stage, NEW, "cancelled")
    run.cancel()
    run.wait_until(NEW.state)
    assert "Started as a new process: LC_ALL would be read too late." in messages(run)
    stop(worker)


def test_what_a_worker_left_that_is_gone_is_settled_by_another(stage: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stage.begin(NAP, "warm", name="of nobody")
    stage.client.update_flow_run_labels(run.id, {"prefect.worker.name": "gone"})
    clock = Clock()
    monkeypatch.setattr(unchanged, "time", clock)

    def ignore(_: UUID) -> None:
        pass

    async def settle(on_stop: OnStop) -> list[str]:
        """Search until a worker that has no row is gone."""
        causes = []
        async with get_client() as client:
            lost = LostRuns(client, "warm", "a judge", on_stop)
            for _ in range(7):
                causes += [cause for _, cause in await lost.settle(tuple, ignore, ignore, others=True)]
                clock.now += SETTLE_EVERY
        return causes

    lost: list[tuple[State, OnStop, str]] = [
        (Pending(), "finish", "Scheduled"),
        (Running(), "reschedule", "Scheduled"),
        (Running(), "finish", "Crashed"),
        (Cancelling(), "finish", "Cancelled"),
    ]
    for state, on_stop, name in lost:
        stage.client.set_flow_run_state(run.id, state, force=True)
        assert asyncio.run(settle(on_stop)) == ["its worker gone is gone"]
        assert run.read().state_name == name
    left: list[State] = [Paused(), Suspended(), AwaitingRetry(), Scheduled(), Completed()]
    for state in left:
        stage.client.set_flow_run_state(run.id, state, force=True)
        assert asyncio.run(settle("reschedule")) == []
        assert run.read().state_name == state.name
    stage.client.set_flow_run_state(run.id, Cancelled(), force=True)


def test_what_a_process_worker_left_is_settled_by_its_successor(stage: Pools) -> None:
    first = stage.start_worker("process", name="attentive", module=ATTENTIVE)
    killed, cancelled = (
        stage.begin(NAP, "process", name=f"of a process worker, {name}") for name in ("left", "cancelled")
    )
    for run in (killed, cancelled):
        run.wait_for_file("began")
    cancelled.cancel()
    cancelled.wait_until("Cancelled")
    wait(killed.read, lambda found: bool(found.infrastructure_pid))
    kill_all(first, killed)
    assert killed.read().state_name == "Running"
    stage.start_worker("process", name="attentive", module=ATTENTIVE)
    found = killed.wait_until("Crashed")
    assert found.state is not None
    assert found.state.message == "Its process is gone: the worker attentive was started anew."
    through = stage.begin(SHORT, "process", name="of a process worker, through")
    through.wait_until("Completed")


class LosingTransport(httpx.AsyncHTTPTransport):
    """Has requests carried out, and loses the answer to the first one that sets a state."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.url.path.endswith("/set_state"):
            self.asked += 1
            if self.asked == 1:
                await answer.aclose()
                raise httpx.ReadTimeout("no answer", request=request)
        return answer


@pytest.mark.parametrize(
    ("outcome", "name"), [(LostRunOutcome.REQUEUE, "Scheduled"), (LostRunOutcome.CRASH, "Crashed")]
)
def test_a_request_that_got_no_answer_is_not_repeated(stage: Pools, outcome: LostRunOutcome, name: str) -> None:
    run = stage.begin(NAP, "warm", name=f"settled once, {name}")
    stage.client.set_flow_run_state(run.id, Running(), force=True)
    transport = LosingTransport()

    async def settle() -> bool:
        async with get_client(httpx_settings={"transport": transport}) as client:
            return await settle_once(client, await client.read_flow_run(run.id), outcome, "gone")

    assert asyncio.run(settle())
    assert transport.asked == 1
    states = [state.name for state in stage.client.read_flow_run_states(run.id)]
    assert (states.count(name), run.read().state_name) == (2 if name == "Scheduled" else 1, name)
    stage.client.set_flow_run_state(run.id, Cancelled(), force=True)


def test_what_exceeds_its_limits_is_crashed_and_its_worker_lives(stage: Pools) -> None:
    worker = stage.start_worker("warm", name="limits", PREFECT_WARM_WORKER_GRACE="0")
    for scenario, reason in (
        (EAT, "more than the 200 MiB that it may take"),
        (LATE, "longer than the 2 s that it may"),
    ):
        run = begin(stage, scenario, f"{scenario.name}, limited")
        found = run.wait_until("Crashed")
        assert found.state is not None
        assert reason in (found.state.message or "")
        run.wait_for_file("hook Crashed")
        wait(partial(messages, run), partial(contains, reason))
    assert worker.poll() is None
    stop(worker)


def test_a_worker_is_healthy_while_its_server_answers_polls(stage: Pools) -> None:
    port = free_port()
    stage.start_worker(
        "warm",
        "--with-healthcheck",
        name="healthy",
        PREFECT_WORKER_WEBSERVER_PORT=str(port),
        PREFECT_WARM_WORKER_GRACE="0",
    )
    run = begin(stage, SHORT, "through an outage")  # from 3.8.8 on a worker is healthy before it is made
    assert health(port) == 200
    with stage.without_server():
        assert wait(lambda: health(port), lambda code: code != 200, seconds=40) == 503
    wait(lambda: health(port), lambda code: code == 200)
    run.wait_until("Completed")


def health(port: int) -> int:
    """Return what a worker's health check answers; 0 where nobody does."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:  # this machine's
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except URLError:
        return 0
