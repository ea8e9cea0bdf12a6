"""Flow runs as forks: one zygote for as long as it lives and its code is as it was, then another one."""

import asyncio
import codecs
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.forking import Zygote, ZygoteError
from prefect_warm_worker.forks.preload import ENGINE, find_flows, find_libraries, installed_in
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.forks.processes import adopted_orphans, out_of_memory_kills
from prefect_warm_worker.protocol import Job
from prefect_warm_worker.snapshots import Snapshot, take_snapshot

_LAST_LINES, _LONGEST_LINE = 20, 4096
_LOOK_EVERY = 1.0
"""Seconds between two looks at whether the code has changed."""
_LAST_WORDS = 1.0
"""Seconds that what a run wrote may take to arrive after its end; a process that it left behind may write for ever."""
_REAP_EVERY = 5.0


class Forks:
    """Begins runs on a zygote, which is replaced when it died, or when what it has imported has changed since."""

    def __init__(
        self,
        folder: Path,
        named: list[str] | None,
        environment: Mapping[str, str] | None = None,
        engine: Sequence[str] = ENGINE,
    ) -> None:
        """folder: of the flows. named: modules to import ahead; None for what the flows import. engine: more of them.

        environment: the zygote's, the one that most runs have.
        """
        self._folder, self._named, self._environment, self._engine = folder, named, environment, engine
        self._stack = contextlib.AsyncExitStack()
        self._lock = asyncio.Lock()
        self._runs: dict[int, ForkedRun] = {}
        self._copying: set[asyncio.Task[None]] = set()
        self._looked = 0.0
        self._imported: list[str] = []
        self._seen_flows: Snapshot = frozenset()
        self._seen_sources: Snapshot = frozenset()

    async def __aenter__(self) -> "Forks":
        """Start the zygote; raises ZygoteError where it can't."""
        await self._start()
        reaping = asyncio.create_task(self._reap_orphans())
        self._stack.callback(reaping.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let the zygote go."""
        for copying in self._copying:
            copying.cancel()
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

    async def renew(self) -> None:
        """Have a zygote that lives and has imported what there is now; raises ZygoteError where none can start."""
        async with self._lock:  # many runs may ask at once
            if self.zygote.is_alive and not self._is_outdated():
                return
            former = self.zygote
            await self._start()
            former.retire()

    async def _fork(self, job: Job, output: int) -> ForkedRun:
        try:
            return await self.zygote.fork(job, output)
        except ZygoteError:
            await self.renew()
            return await self.zygote.fork(job, output)

    def _is_outdated(self) -> bool:
        if time.monotonic() - self._looked < _LOOK_EVERY:
            return False
        self._looked = time.monotonic()
        flows = self._flows()
        if flows != self._seen_flows and self._libraries() != self._imported:
            return True
        self._seen_flows = flows
        return take_snapshot(path for path, _ in self._seen_sources) != self._seen_sources

    async def _reap_orphans(self) -> None:
        """Ask for the ends of what runs left behind, which became this process's children; never returns."""
        while True:
            await asyncio.sleep(_REAP_EVERY)
            for pid in set(adopted_orphans()) - set(self._runs):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    async def _start(self) -> None:
        self._seen_flows, self._imported = self._flows(), self._libraries()
        preloading = Preloading(self._imported, self._engine)
        self.zygote = await self._stack.enter_async_context(Zygote(preloading, self._environment))
        self._seen_sources = take_snapshot(self.zygote.sources | installed_in())

    def _flows(self) -> Snapshot:
        return take_snapshot(find_flows(self._folder) if self._named is None else [])

    def _libraries(self) -> list[str]:
        return find_libraries(self._folder, find_flows(self._folder)) if self._named is None else self._named


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
