"""A worker's reads of deployments, flows and a setting of the server's: runs that were found together share them.

What is read after a run was found is what Prefect's worker would read for it: a change before its trigger is always seen.
Some of it is handed over to the runs' forks.
"""

import asyncio
import contextlib
import functools
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.settings import get_current_settings

from prefect_warm_worker._prefect.answers import STORAGE, Answer

_SHARED = re.compile(rf"/(deployments|flows)/[0-9a-f-]{{36}}$|{STORAGE}$")
_MOST = 1000
"""Reads that are remembered at most."""


class SharedReads:
    """What a worker has read since it found its runs, by address."""

    def __init__(self) -> None:
        self._reads: dict[str, _Read] = {}
        self._found = 0.0
        self._client: Any = None

    def note_found(self) -> None:
        """Note that the server has just named runs: what was asked before isn't good for these."""
        self._found = time.monotonic()
        if len(self._reads) > _MOST:
            self._reads.clear()

    def share(self, client: PrefectClient) -> None:
        """Have a client's reads be shared from here on."""
        self._client = client
        http = self._client._client
        http.send = functools.partial(self._send, http.send)

    async def read_storage(self) -> None:
        """Read where results are stored by default, for runs to whom no setting says so. What can't be read is left to them."""
        if self._client is not None and get_current_settings().results.default_storage_block is None:
            with contextlib.suppress(httpx.HTTPError):
                await self._client.request("GET", STORAGE)

    def answers(self, path: str) -> list[Answer]:
        """Return what was answered to the last read of a path, if one was."""
        return [read.answer(url) for url, read in self._reads.items() if url.endswith(path) and read.is_answered]

    async def _send(
        self,
        send: Callable[..., Awaitable[httpx.Response]],
        request: httpx.Request,
        *args: Any,  # noqa: ANN401  # as the client has them
        **kwargs: Any,  # noqa: ANN401  # as above
    ) -> httpx.Response:
        if request.method != "GET" or not _SHARED.search(request.url.path):
            return await send(request, *args, **kwargs)
        url = str(request.url)
        read = self._reads.get(url)
        if read is None or not read.is_good(self._found):
            read = self._reads[url] = _Read(time.monotonic(), asyncio.ensure_future(send(request, *args, **kwargs)))
        return await asyncio.shield(read.response)


@dataclass(frozen=True, slots=True)
class _Read:
    asked: float
    response: asyncio.Future[httpx.Response]

    def is_good(self, found: float) -> bool:
        """Whether it stands for a read of a run that was found then."""
        if self.asked < found:
            return False
        return not self.response.done() or (self.is_answered and self.answer("").is_fresh)

    @property
    def is_answered(self) -> bool:
        return self.response.done() and not self.response.cancelled() and self.response.exception() is None

    def answer(self, url: str) -> Answer:
        return Answer(url, self.asked, self.response.result().text)
