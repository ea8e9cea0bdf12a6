"""A worker's reads: shared by the runs that were found before them, and by no run that was found since."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_DEFAULT_RESULT_STORAGE_BLOCK, temporary_settings

from prefect_warm_worker._prefect.shared_reads import SharedReads

pytestmark = pytest.mark.anyio
DEPLOYMENT = f"/deployments/{uuid4()}"


class Server:
    """Answers each read with how many it has had, once it may."""

    def __init__(self) -> None:
        self.asked, self.may_answer, self.fails, self.status = 0, asyncio.Event(), False, 200
        self.may_answer.set()

    async def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        nth, fails = self.asked, self.fails
        await self.may_answer.wait()
        if fails:
            raise httpx.InvalidURL("no such server")
        return httpx.Response(self.status, json=nth)


class Worker:
    """A client whose reads are shared."""

    def __init__(self, server: Server) -> None:
        self.reads = SharedReads()
        client: Any = PrefectClient("http://server/api", httpx_settings={"transport": httpx.MockTransport(server)})
        client._client.enable_csrf_support = False
        self._http = client._client
        self.reads.share(client)

    async def read(self, path: str = DEPLOYMENT, method: str = "GET") -> int:
        """Return which of the server's answers it got."""
        return int((await self._http.send(self._http.build_request(method, path))).json())


async def test_runs_that_were_found_together_share_a_read() -> None:
    server = Server()
    worker = Worker(server)
    server.may_answer.clear()
    reading = [asyncio.create_task(worker.read()) for _ in range(3)]
    await asyncio.sleep(0)
    server.may_answer.set()
    assert await asyncio.gather(*reading) == [1, 1, 1]
    assert await worker.read() == 1
    assert [answer.body for answer in worker.reads.answers(DEPLOYMENT)] == ["1"]


async def test_a_run_that_was_found_later_sees_what_was_changed_before() -> None:
    worker = Worker(Server())
    assert await worker.read() == 1
    worker.reads.note_found()
    assert await worker.read() == 2


async def test_a_read_that_was_begun_before_a_run_was_found_is_not_its() -> None:
    server = Server()
    worker = Worker(server)
    server.may_answer.clear()
    early = asyncio.create_task(worker.read())
    await asyncio.sleep(0)
    worker.reads.note_found()
    late = asyncio.create_task(worker.read())
    await asyncio.sleep(0)
    server.may_answer.set()
    assert (await early, await late) == (1, 2)


async def test_what_failed_is_asked_for_again() -> None:
    server = Server()
    worker = Worker(server)
    server.fails = True
    with pytest.raises(httpx.InvalidURL):
        await worker.read()
    assert worker.reads.answers(DEPLOYMENT) == []
    server.fails = False
    assert await worker.read() == 2


async def test_one_that_gives_up_takes_no_other_one_along() -> None:
    server = Server()
    worker = Worker(server)
    server.may_answer.clear()
    first, second = (asyncio.create_task(worker.read()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    server.may_answer.set()
    assert await second == 1


async def test_where_results_are_stored_is_read_for_the_runs_that_no_setting_tells() -> None:
    worker = Worker(Server())
    with temporary_settings({PREFECT_DEFAULT_RESULT_STORAGE_BLOCK: "local-file-system/mine"}):
        await worker.reads.read_storage()
    assert worker.reads.answers("/admin/storage") == []
    for _ in range(2):
        await worker.reads.read_storage()
    assert [answer.body for answer in worker.reads.answers("/admin/storage")] == ["1"]


async def test_a_server_that_does_not_say_where_results_are_stored_is_no_error() -> None:
    server = Server()
    server.status = 404
    worker = Worker(server)
    await worker.reads.read_storage()
    assert worker.reads.answers("/admin/storage") == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/flow_runs/{uuid4()}"), ("PATCH", DEPLOYMENT), ("GET", "/deployments/name/a/b")]
)
async def test_nothing_else_is_shared(method: str, path: str) -> None:
    worker = Worker(Server())
    assert [await worker.read(path, method) for _ in range(2)] == [1, 2]
