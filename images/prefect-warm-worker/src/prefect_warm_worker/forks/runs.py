"""Flow runs as forks: each of a zygote that has its environment, or as a new interpreter that the fork becomes."""

import asyncio
import codecs
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from prefect_warm_worker.forks.environments import Environments
from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.forker import Forker
from prefect_warm_worker.forks.forking import Zygote, ZygoteError
from prefect_warm_worker.forks.preload import ENGINE
from prefect_warm_worker.forks.preloading import SECONDS
from prefect_warm_worker.forks.processes import adopted_orphans, out_of_memory_kills
from prefect_warm_worker.protocol import Job

_LAST_LINES, _LONGEST_LINE = 20, 4096
_LAST_WORDS = 1.0
"""Seconds that what a run wrote may take to arrive after its end; a process that it left behind may write for ever."""
_REAP_EVERY = 5.0


class Forks:
    """Begins runs, and sees to them until they have ended."""

    def __init__(  # noqa: PLR0913  # the worker's settings
        self,
        folder: Path,
        named: list[str] | None,
        environment: Mapping[str, str] | None = None,
        engine: Sequence[str] = ENGINE,
        *,
        most_others: int = 3,
        seconds: float = SECONDS,
    ) -> None:
        """folder: of the flows. named: modules to import ahead; None for what the flows import. engine: more of them.

        environment: the one that most runs have. most_others: how many zygotes there may be for other environments.
        seconds: that the imports of each may take.
        """
        self._stack = contextlib.AsyncExitStack()

        def make(other: Mapping[str, str] | None) -> Forker:
            return Forker(folder, named, other, engine, self._stack, seconds=seconds)

        self._environments = Environments(make(environment), make, most_others)
        self._runs: dict[int, ForkedRun] = {}
        self._copying: set[asyncio.Task[None]] = set()

    @property
    def zygote(self) -> Zygote:
        """The zygote for the environment that most runs have."""
        return self._environments.common.zygote

    async def __aenter__(self) -> "Forks":
        """Start the zygote, and wait a while for it; raises ZygoteError where it can't start."""
        await self.renew()
        reaping = asyncio.create_task(self._reap_orphans())
        self._stack.callback(reaping.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let the zygote go."""
        for copying in self._copying:
            copying.cancel()
        self._environments.close()
        await self._environments.common.close()
        await self._stack.aclose()

    @contextlib.asynccontextmanager
    async def begin(self, job: Job, last_lines: deque[str], *, stream: bool) -> AsyncIterator[ForkedRun]:
        """Fork a run, and copy what it writes until it ends. last_lines: filled with the last of it. stream: to this output."""
        reader, writer = os.pipe()
        try:
            run = await self._fork(job, writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self._runs[run.pid], killed = run, out_of_memory_kills()
        copying = asyncio.create_task(_copy(reader, last_lines, stream=stream))
        self._copying.add(copying)
        copying.add_done_callback(self._copying.discard)
        try:
            yield run
        finally:
            del self._runs[run.pid]
            if run.returncode == -signal.SIGKILL and not run.reason and out_of_memory_kills() > killed:
                run.reason = "there was no memory left for it"
            await asyncio.wait([copying], timeout=_LAST_WORDS)

    async def renew(self) -> bool:
        """Return whether there is a zygote within a while that lives and has imported what there is now.

        Raises ZygoteError where none can start.
        """
        return await self._environments.common.renew()

    async def why_not(self) -> str | None:
        """Say why no run can be forked now, or return None: there is a zygote."""
        try:
            return None if await self.renew() else "what is imported ahead of it is not imported yet"
        except ZygoteError as error:
            return str(error)

    async def _fork(self, job: Job, output: int) -> ForkedRun:
        forker, late = await self._environments.choose(job.environment)
        run = await forker.fork(replace(job, is_late=bool(late)), output)
        run.read_too_late = late
        return run

    async def _reap_orphans(self) -> None:
        """Ask for the ends of what runs left behind, which became this process's children; never returns."""
        while True:
            await asyncio.sleep(_REAP_EVERY)
            for pid in set(adopted_orphans()) - set(self._runs):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def new_last_lines() -> deque[str]:
    """Return what holds the last lines of a run."""
    return deque(maxlen=_LAST_LINES)


async def _copy(descriptor: int, last_lines: deque[str], *, stream: bool) -> None:
    source, decoder, begun = asyncio.StreamReader(), codecs.getincrementaldecoder("utf-8")("replace"), ""
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "rb")
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(source), pipe)
    try:
        while part := await source.read(65536):
            text = decoder.decode(part)
            *lines, begun = (begun[-_LONGEST_LINE:] + text).split("\n")
            last_lines.extend(lines)
            if stream:
                sys.stdout.write(text)
                sys.stdout.flush()
    finally:
        last_lines.extend([begun] if begun else [])
        transport.close()
