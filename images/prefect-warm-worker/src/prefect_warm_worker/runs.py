"""Flow runs as forks: one zygote for as long as it lives, another one when it doesn't, and what each run writes."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from prefect_warm_worker.forking import ForkedRun, Zygote, ZygoteError

Begin = Callable[[Mapping[str, str]], AbstractAsyncContextManager[ForkedRun]]
"""Begins a run with some environment variables more; the context ends when the run does."""
_LAST_LINES = 20


class Forks:
    """Begins runs on a zygote that is replaced when it died."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = preload
        self._stack = contextlib.AsyncExitStack()
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> "Forks":
        """Start the zygote; raises ZygoteError where it can't."""
        self.zygote = await self._stack.enter_async_context(Zygote(self._preload))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let the zygote go."""
        await self._stack.aclose()

    @contextlib.asynccontextmanager
    async def begin(
        self, environment: Mapping[str, str], directory: Path, last_lines: deque[str], *, stream: bool
    ) -> AsyncIterator[ForkedRun]:
        """Fork a run, and copy what it writes until it ends. last_lines: filled with the last of it. stream: to this output."""
        reader, writer = os.pipe()
        try:
            run = await self._fork(environment, directory, writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        copying = asyncio.create_task(_copy(reader, last_lines, stream=stream))
        try:
            yield run
        finally:
            await copying

    async def _fork(self, environment: Mapping[str, str], directory: Path, output: int) -> ForkedRun:
        try:
            return await self.zygote.fork(environment, directory, output)
        except ZygoteError:
            await self._replace()
            return await self.zygote.fork(environment, directory, output)

    async def _replace(self) -> None:
        async with self._lock:  # many runs may find out at once
            if not self.zygote.is_alive:
                self.zygote = await self._stack.enter_async_context(Zygote(self._preload))


def new_last_lines() -> deque[str]:
    """Return what holds the last lines of a run."""
    return deque(maxlen=_LAST_LINES)


async def _copy(descriptor: int, last_lines: deque[str], *, stream: bool) -> None:
    source = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "rb")
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(source), pipe)
    try:
        while part := await source.read(65536):
            text = part.decode(errors="replace")
            last_lines.extend(text.splitlines())
            if stream:
                sys.stdout.write(text)
                sys.stdout.flush()
    finally:
        transport.close()
