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


@pytest.mark.parametrize(("waiting", "may_have_left"), [(1, False), (2, True)])
def test_an_answer_as_long_as_asked_for_may_have_left_some(waiting: int, *, may_have_left: bool) -> None:
    class Client:
        async def request(self, *_: str, json: dict[str, Any], **__: object) -> httpx.Response:
            run = {"work_pool_id": str(uuid4()), "work_queue_id": str(uuid4()), "flow_run": {"flow_id": str(uuid4())}}
            return httpx.Response(200, json=[run] * min(waiting, json["limit"]))

    worker = WarmWorker(work_pool_name="any", limit=2)
    worker._client, worker._limiter = Client(), anyio.CapacityLimiter(2)  # type: ignore[assignment]  # as once it is entered
    assert len(asyncio.run(worker._get_scheduled_flow_runs())) == waiting
    assert worker._may_have_left is may_have_left
