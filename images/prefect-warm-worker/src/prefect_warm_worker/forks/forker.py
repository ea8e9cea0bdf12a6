"""Forks runs of one environment: from one zygote for as long as it lives and its code is as it was, then from another one."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.forking import Zygote, ZygoteError
from prefect_warm_worker.forks.preload import find_flows, find_late, find_libraries
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.protocol import Job
from prefect_warm_worker.snapshots import Snapshot, take_snapshot

_LOOK_EVERY = 1.0
"""Seconds between two looks at whether the code has changed. A fork looks at its own besides, and is never of former code."""
_PATIENCE = 10.0
"""Seconds that a run waits for a zygote, before it begins without one."""
_LEAST_AGE = 5.0
"""Seconds that a zygote lives at least: what is written at each import would have it replaced again and again."""


class Forker:
    """A zygote, which is replaced when it died, or when what it has imported has changed since."""

    def __init__(  # noqa: PLR0913  # those of Forks
        self,
        folder: Path,
        named: list[str] | None,
        environment: Mapping[str, str] | None,
        engine: Sequence[str],
        zygotes: contextlib.AsyncExitStack,
        *,
        seconds: float,
    ) -> None:
        """As for Forks. zygotes: holds those that are started."""
        self._seconds = seconds
        self._starting: asyncio.Task[None] | None = None
        self._zygote: Zygote | None = None
        self._folder, self._named, self._environment, self._engine = folder, named, environment, engine
        self._zygotes = zygotes
        self._started = self._looked = 0.0
        self._imported: list[str] = []
        self._late: dict[str, str] = {}
        self._seen_flows: Snapshot = {}

    async def start(self) -> None:
        """Start a zygote; raises ZygoteError where none can start."""
        self._seen_flows, self._imported, self._late = self._flows(), self._libraries(), self._find_late()
        preloading = Preloading(self._imported, self._engine, self._seconds, self._late)
        zygote = Zygote(preloading, self._environment)
        self._zygote = await self._zygotes.enter_async_context(zygote)
        self._started = time.monotonic()

    @property
    def zygote(self) -> Zygote:
        """The zygote that was ready last; raises ZygoteError where none was."""
        if self._zygote is None:
            raise ZygoteError("no zygote has started in time")
        return self._zygote

    async def renew(self) -> bool:
        """Return whether there is a zygote within a while that lives and has imported what there is now.

        Raises ZygoteError where none can start.
        """
        if self._starting is None and await self.is_current():
            return True
        starting = self._starting = self._starting or asyncio.create_task(self._replace())
        await asyncio.wait([starting], timeout=_PATIENCE)  # many runs may wait at once
        if starting.done():
            starting.result()
        return starting.done()

    async def close(self) -> None:
        """Start no more."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])

    async def _replace(self) -> None:
        former = self._zygote
        try:
            await self.start()
        finally:
            self._starting = None
        if former is not None:
            former.retire()

    async def is_current(self) -> bool:
        """Whether the zygote lives and has imported what there is now, as far as was looked."""
        if self._zygote is None or not self._zygote.is_alive:
            return False
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY or now - self._started < _LEAST_AGE:
            return True
        self._looked = now
        return not await asyncio.to_thread(self._is_outdated)

    async def fork(self, job: Job, output: int) -> ForkedRun:
        """Fork a run that writes to a descriptor; raises ZygoteError where no zygote can start."""
        try:
            return await self.zygote.fork(job, output)
        except ZygoteError:
            await self.renew()
            return await self.zygote.fork(job, output)

    async def find_read(self, environment: Mapping[str, str]) -> list[str]:
        """Return the variables that the zygote has read with other values than those of an environment."""
        changed = self.zygote.find_changed(environment)
        return await asyncio.to_thread(self.zygote.reads.find, changed) if changed else []

    def _is_outdated(self) -> bool:
        flows = self._flows()
        if flows != self._seen_flows and (self._libraries(), self._find_late()) != (self._imported, self._late):
            return True
        self._seen_flows = flows
        return take_snapshot(self.zygote.sources) != self.zygote.sources

    def _flows(self) -> Snapshot:
        return take_snapshot(find_flows(self._folder) if self._named is None else [])

    def _libraries(self) -> list[str]:
        return find_libraries(self._folder, find_flows(self._folder)) if self._named is None else self._named

    def _find_late(self) -> dict[str, str]:
        return find_late(find_flows(self._folder)) if self._named is None else {}
