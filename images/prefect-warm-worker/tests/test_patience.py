"""A client of a warm run or of its worker outlasts an outage of its server."""

import asyncio
import time
from collections.abc import Callable, Iterator

import anyio
import httpx
import pytest
from prefect.client import base
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from prefect_warm_worker._prefect import patience
from prefect_warm_worker._prefect.patience import be_patient

API = "http://server/api"
PATCHED = ("PREFECT_CLIENT_MAX_RETRIES", "PREFECT_CLIENT_RETRY_EXTRA_CODES", "clamped_poisson_interval")
CLIENTS = (base.PrefectHttpxAsyncClient, base.PrefectHttpxSyncClient)
LONG = 80
"""Requests that fail: of ten minutes and more."""


class Server:
    """A server that is away for so many requests. Notes how often it was asked."""

    def __init__(self, away: int, answer: int | None = None) -> None:
        """answer: the status of what stands before it, such as a proxy; None where nothing does."""
        self._away, self._answer, self.asked = away, answer, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked > self._away:
            return httpx.Response(200)
        if self._answer is not None:
            return httpx.Response(self._answer)
        raise httpx.ConnectError("all connection attempts failed", request=request)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have no client sleep; returns the seconds that each would have slept."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr(anyio, "sleep", note)
    monkeypatch.setattr(time, "sleep", noted.append)
    return noted


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this process be patient for as long as the test lasts."""
    for name in PATCHED:
        monkeypatch.setattr(base, name, getattr(base, name))
    for client in CLIENTS:
        monkeypatch.setattr(client, "_has_connected", False, raising=False)
    with temporary_settings({PREFECT_API_URL: API}):
        be_patient()
        yield


def ask_async(server: Server, api: str) -> int:
    """Ask once with a new client of the asynchronous kind; returns the answer's status."""

    async def ask() -> int:
        async with base.PrefectHttpxAsyncClient(base_url=api, transport=httpx.MockTransport(server)) as client:
            return (await client.get("/flow_runs")).status_code

    return asyncio.run(ask())


def ask_sync(server: Server, api: str) -> int:
    """Do the same with one of the synchronous kind."""
    with base.PrefectHttpxSyncClient(base_url=api, transport=httpx.MockTransport(server)) as client:
        return client.get("/flow_runs").status_code


Ask = Callable[[Server, str], int]
both = pytest.mark.parametrize("ask", [ask_async, ask_sync])


@both
@pytest.mark.parametrize("answer", [None, 502, 503, 504, 408, 429])
@pytest.mark.usefixtures("patient")
def test_a_new_client_waits_for_its_server_and_is_there_soon_after_it(
    ask: Ask, answer: int | None, pauses: list[float]
) -> None:
    server = Server(LONG, answer)
    assert ask(server, API) == httpx.codes.OK
    assert server.asked == LONG + 1
    assert sum(pauses) > 10 * 60
    assert max(pauses) < 15


@both
@pytest.mark.usefixtures("patient")
def test_a_server_that_nobody_has_heard_of_is_an_error_at_once(ask: Ask, pauses: list[float]) -> None:
    with pytest.raises(httpx.ConnectError):
        ask(Server(1), "http://elsewhere/api")
    assert pauses == []


@both
@pytest.mark.usefixtures("patient")
def test_the_number_of_retries_that_a_user_has_set_holds(ask: Ask, pauses: list[float]) -> None:
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}), pytest.raises(httpx.ConnectError):
        ask(Server(LONG), API)
    assert len(pauses) == 2


@both
@pytest.mark.usefixtures("patient")
def test_patience_ends(ask: Ask, pauses: list[float]) -> None:
    with pytest.raises(httpx.ConnectError):
        ask(Server(1000), API)
    assert len(pauses) == patience._RETRIES
