"""The worker as Prefect finds it."""

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from prefect_warm_worker.worker import outages
from prefect_warm_worker.worker.configuration import WarmJobConfiguration
from prefect_warm_worker.worker.contention import Contention
from prefect_warm_worker.worker.warm import WarmWorker


def test_it_is_found_by_its_type_and_takes_no_other_ones_place() -> None:
    assert BaseWorker.get_worker_class_from_type("warm") is WarmWorker
    assert BaseWorker.get_worker_class_from_type("process") is ProcessWorker


def test_a_setting_that_means_nothing_ends_it_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_WARM_WORKER_GRACE", "soon")
    with pytest.raises(SystemExit, match=r"^Error: PREFECT_WARM_WORKER_GRACE=soon: Input should be a valid number"):
        WarmWorker(work_pool_name="any")


class Queue:
    """A server, as far as polls go: so many runs wait, of which it sends no more than its own limit."""

    def __init__(self, waiting: int, limit: int = 200) -> None:
        self.limit = limit
        self.runs = [
            {
                "work_pool_id": str(POOL),
                "work_queue_id": str(POOL),
                "flow_run": {"flow_id": str(POOL), "id": str(uuid4())},
            }
            for _ in range(waiting)
        ]
        self.asked: list[int | None] = []

    async def request(self, *_: str, json: dict[str, Any], **__: object) -> httpx.Response:
        """Answer, or refuse a limit that is more than its own, as Prefect's server does."""
        self.asked.append(json.get("limit"))
        if json.get("limit", 0) > self.limit:
            response = httpx.Response(422)
            raise httpx.HTTPStatusError(
                "Invalid limit", request=httpx.Request("POST", "http://server"), response=response
            )
        return httpx.Response(200, json=self.runs[: json.get("limit", self.limit)])


POOL = uuid4()


def poll(queue: Queue, room: int, spare: int = 0) -> tuple[list[str], bool]:
    """Poll once. Returns the runs, and whether there may be more."""
    worker = WarmWorker(work_pool_name="any", limit=room)
    worker._client, worker._limiter = queue, anyio.CapacityLimiter(room)  # type: ignore[assignment]  # as once it is entered
    worker._contention.spare = spare
    found = asyncio.run(worker._get_scheduled_flow_runs())
    return [str(response.flow_run.id) for response in found], worker._may_have_left


@pytest.mark.parametrize(
    ("waiting", "spare", "found", "may_have_left"),
    [(1, 0, 1, False), (2, 0, 2, True), (2, 4, 2, False), (3, 4, 3, True), (9, 4, 6, True)],
)
def test_a_worker_knows_whether_there_may_be_more_runs_than_it_has_room_for(
    waiting: int, spare: int, found: int, *, may_have_left: bool
) -> None:
    runs, more = poll(Queue(waiting), room=2, spare=spare)
    assert (len(runs), more) == (found, may_have_left)


@pytest.mark.parametrize("limit", [200, 50])
def test_a_worker_with_more_room_than_a_server_ever_sends_takes_what_it_is_sent(limit: int) -> None:
    queue = Queue(500, limit)
    runs, more = poll(queue, room=300)
    assert (len(runs), more, queue.asked) == (limit, True, [None])


def test_a_server_that_sends_less_than_is_asked_for_is_asked_without_a_number() -> None:
    queue = Queue(500, limit=50)
    runs, more = poll(queue, room=100)
    assert (len(runs), more, queue.asked) == (50, True, [100, None])


def test_a_worker_whose_poll_waits_for_its_server_judges_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_SILENCE", 0.01)
    monkeypatch.setattr(outages, "_STEADY", -1.0)
    worker = WarmWorker(work_pool_name="any", limit=1)

    class Away(Queue):
        async def request(self, *words: str, json: dict[str, Any], **more: object) -> httpx.Response:
            while worker.is_steady:
                await asyncio.sleep(0.01)
            return await super().request(*words, json=json, **more)

    async def check() -> None:
        for queue in (Queue(0), Away(0)):
            worker._client, worker._limiter = queue, anyio.CapacityLimiter(1)  # type: ignore[assignment]  # as above
            await asyncio.wait_for(worker._get_scheduled_flow_runs(), 30)
            assert worker.is_steady

    asyncio.run(check())


def test_a_run_in_a_new_process_outlasts_outages_unless_it_is_told_otherwise() -> None:
    told = {"PREFECT_CLIENT_MAX_RETRIES": "2"}
    for env, retries in (({}, "9"), (told, "2")):
        job = WarmJobConfiguration(command="python -m prefect.engine", env=env).for_new_process()
        assert job.env["PREFECT_CLIENT_MAX_RETRIES"] == retries


def response(queue: UUID, *, minutes: float = -1) -> WorkerFlowRunResponse:
    """Return a flow run of a queue that is to begin so many minutes from now."""
    run = FlowRun(flow_id=POOL, next_scheduled_start_time=datetime.now(timezone.utc) + timedelta(minutes=minutes))  # noqa: UP017
    return WorkerFlowRunResponse(work_pool_id=POOL, work_queue_id=queue, flow_run=run)


def test_a_worker_that_is_never_refused_takes_runs_in_their_order() -> None:
    contention, found = Contention(), [response(POOL) for _ in range(20)]
    contention.note(is_taken=True)
    assert contention.spare == 0
    assert contention.spread(found) == found


def test_a_worker_that_was_refused_looks_further_for_a_while() -> None:
    contention, spares = Contention(), []
    for is_taken in (False, False, True, True, True, True, True, True, True, True, True):
        contention.note(is_taken=is_taken)
        spares.append(contention.spare)
    assert spares == [2, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0]
    for _ in range(10):
        contention.note(is_taken=False)
    assert contention.spare == 6


def test_runs_of_another_queue_or_of_later_stay_behind() -> None:
    contention, other = Contention(), uuid4()
    contention.note(is_taken=False)
    first, later = [response(POOL) for _ in range(50)], [response(POOL, minutes=1), response(POOL)]
    behind = [response(other), response(POOL)]
    for tail in (later, behind):
        spread = contention.spread([*first, *tail])
        assert spread[50:] == tail
        assert spread[:50] != first
        assert sorted(spread[:50], key=first.index) == first


def test_a_start_that_fails_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_: ProcessWorker) -> None:
        raise RuntimeError("refused")

    async def start() -> None:
        with pytest.raises(RuntimeError, match="refused"):
            await WarmWorker(work_pool_name="any").__aenter__()

    monkeypatch.setattr(ProcessWorker, "__aenter__", refuse)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        asyncio.run(start())  # which closes what is open, as another task, and logs what fails then
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []
