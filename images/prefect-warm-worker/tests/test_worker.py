"""The worker as Prefect finds it."""

import asyncio
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from prefect_warm_worker.worker import WarmWorker


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


def poll(queue: Queue, room: int) -> tuple[list[str], bool]:
    """Poll once. Returns the runs, and whether there may be more."""
    worker = WarmWorker(work_pool_name="any", limit=room)
    worker._client, worker._limiter = queue, anyio.CapacityLimiter(room)  # type: ignore[assignment]  # as once it is entered
    found = asyncio.run(worker._get_scheduled_flow_runs())
    return [str(response.flow_run.id) for response in found], worker._may_have_left


@pytest.mark.parametrize(("waiting", "may_have_left"), [(1, False), (2, True)])
def test_an_answer_as_long_as_asked_for_may_have_left_some(waiting: int, *, may_have_left: bool) -> None:
    runs, more = poll(Queue(waiting), room=2)
    assert (len(runs), more) == (waiting, may_have_left)


@pytest.mark.parametrize("limit", [200, 50])
def test_a_worker_with_more_room_than_a_server_ever_sends_takes_what_it_is_sent(limit: int) -> None:
    queue = Queue(500, limit)
    runs, more = poll(queue, room=300)
    assert (len(runs), more, queue.asked) == (limit, True, [None])


def test_a_server_that_sends_less_than_is_asked_for_is_asked_without_a_number() -> None:
    queue = Queue(500, limit=50)
    runs, more = poll(queue, room=100)
    assert (len(runs), more, queue.asked) == (50, True, [100, None])
