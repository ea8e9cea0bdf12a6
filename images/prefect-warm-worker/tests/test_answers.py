"""What a run needn't ask for: the answers are those that it would have got, and never stand for what may have changed since."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient
from prefect.events import related

from prefect_warm_worker._prefect import answers
from prefect_warm_worker._prefect.answers import Answer, Answers, answer_from, describe_answers, heed_answers
from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES

API = "http://server/api"
RUN, OTHER, DEPLOYMENT, QUEUE = (str(uuid4()) for _ in range(4))
RUN_READ, DEPLOYMENT_READ, STORAGE_READ = f"/flow_runs/{RUN}", f"/deployments/{DEPLOYMENT}", "/admin/storage"


def handed_over(seconds: float = 0, read: str = DEPLOYMENT_READ) -> Answer:
    """Return what a worker has read so many seconds ago."""
    return Answer(API + read, time.monotonic() - seconds, '{"nth": 0}')


class Server:
    """Answers every request with how many it has had of this kind, and notes each."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        said = f"{request.method} {request.url.path.removeprefix('/api')}"
        self.asked.append(said)
        body = {"nth": self.asked.count(said), "work_queue_id": QUEUE, "work_queue_name": "fast"}
        return httpx.Response(200, json=body)


Ask = Callable[[str, str], int]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Give what sends a request as a run does, and returns how many of this kind the server had had when it answered."""
    for client in (PrefectHttpxSyncClient, PrefectHttpxAsyncClient):
        monkeypatch.setattr(client, "send", client.send)
    monkeypatch.setattr(related, "RESOURCE_CACHE", {})
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", RUN)
    monkeypatch.setattr(answers, "_answers", None)
    heed_answers()
    answer_from(describe_answers([handed_over()]))

    async def ask_async(method: str, path: str) -> int:
        async with PrefectHttpxAsyncClient(base_url=API, transport=httpx.MockTransport(server)) as client:
            return int((await client.request(method, path)).json()["nth"])

    def ask_sync(method: str, path: str) -> int:
        with PrefectHttpxSyncClient(base_url=API, transport=httpx.MockTransport(server)) as client:
            return int(client.request(method, path).json()["nth"])

    return ask_sync if request.param == "sync" else lambda method, path: asyncio.run(ask_async(method, path))


def test_what_the_worker_has_read_is_read_no_more_but_once_only(ask: Ask, server: Server) -> None:
    assert [ask("GET", DEPLOYMENT_READ) for _ in range(3)] == [0, 1, 2]
    assert ask("GET", f"/deployments/{OTHER}") == 1
    assert len(server.asked) == 3


@pytest.mark.skipif(not HAS_WORKSPACES, reason="only a workspace reads a run before its engine does")
def test_a_run_that_its_workspace_has_read_is_not_read_anew_by_its_engine_but_later(ask: Ask) -> None:
    assert [ask("GET", RUN_READ) for _ in range(4)] == [1, 1, 2, 3]
    assert [ask("GET", f"/flow_runs/{OTHER}") for _ in range(2)] == [1, 2]


@pytest.mark.skipif(HAS_WORKSPACES, reason="a workspace reads a run before its engine does")
def test_a_run_without_a_workspace_is_read_each_time(ask: Ask) -> None:
    assert [ask("GET", RUN_READ) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("read", [RUN_READ, DEPLOYMENT_READ, STORAGE_READ])
def test_what_is_known_ends_with_a_change(ask: Ask, method: str, read: str) -> None:
    first = 0 if read == DEPLOYMENT_READ else ask("GET", read)
    ask(method, STORAGE_READ if read == STORAGE_READ else f"/flow_runs/{RUN}/set_state")
    assert ask("GET", read) == first + 1


def test_where_results_are_stored_is_known_whatever_else_is_changed(ask: Ask) -> None:
    ask("GET", STORAGE_READ)
    ask("POST", f"/flow_runs/{RUN}/set_state")
    assert ask("GET", STORAGE_READ) == 1


def test_what_is_known_outlives_what_a_run_logs(ask: Ask) -> None:
    ask("POST", "/logs/")
    assert ask("GET", DEPLOYMENT_READ) == 0


@pytest.mark.parametrize("seconds", [0.0, 4.0, 5.1])
def test_what_the_worker_has_read_is_good_for_some_seconds(ask: Ask, seconds: float) -> None:
    answer_from(describe_answers([handed_over(seconds), handed_over(seconds, STORAGE_READ)]))
    assert [ask("GET", DEPLOYMENT_READ), ask("GET", STORAGE_READ)] == ([0, 0] if seconds < 5 else [1, 1])


@pytest.mark.parametrize("seconds", [0.0, 1.1])
@pytest.mark.parametrize("read", [RUN_READ, STORAGE_READ])
def test_what_a_run_has_read_is_good_for_a_second(read: str, seconds: float) -> None:
    known, request = Answers(RUN), httpx.Request("GET", API + read)
    known.note(request, time.monotonic() - seconds, httpx.Response(200, json={}))
    assert (known.find(request) is not None) == (seconds < 1 and (HAS_WORKSPACES or read == STORAGE_READ))


def test_where_results_are_stored_is_asked_for_once_a_second(ask: Ask) -> None:
    assert [ask("GET", STORAGE_READ) for _ in range(3)] == [1, 1, 1]


def test_another_server_is_asked(ask: Ask) -> None:
    answer_from(describe_answers([replace(handed_over(), url=f"http://other/api{DEPLOYMENT_READ}")]))
    assert ask("GET", DEPLOYMENT_READ) == 1


def test_events_tell_of_the_queue_that_the_run_was_read_with(ask: Ask) -> None:
    ask("GET", RUN_READ)
    entry, _ = related.RESOURCE_CACHE[f"work-queue.{QUEUE}"]
    told = related.object_as_related_resource("work-queue", "work-queue", entry["object"])
    assert dict(told) == {
        "prefect.resource.id": f"prefect.work-queue.{QUEUE}",
        "prefect.resource.role": "work-queue",
        "prefect.resource.name": "fast",
    }


def test_a_process_that_is_no_run_asks_for_everything(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_answers", None)
    assert [ask("GET", STORAGE_READ) for _ in range(2)] == [1, 2]
