"""Limits of runs: the most memory and the most time that each may take. One that exceeds a limit is ended, and says why."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.processes import memory_of, processes_by_session

_PAUSE = 0.25
"""Seconds between two looks at the runs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """memory: bytes, of a run's processes together. seconds: of wall time. None where there is no limit."""

    memory: int | None = None
    seconds: float | None = None


class Guard:
    """Looks after the runs that have limits."""

    def __init__(self) -> None:
        self._guarded: dict[ForkedRun, tuple[Limits, float]] = {}

    @contextlib.contextmanager
    def limiting(self, run: ForkedRun, limits: Limits) -> Iterator[None]:
        """Hold a run to its limits for as long as the body takes."""
        if limits != Limits():
            self._guarded[run] = (limits, time.monotonic())
        try:
            yield
        finally:
            self._guarded.pop(run, None)

    async def watch(self) -> None:
        """End runs that exceed their limits; never returns."""
        while True:
            await asyncio.sleep(_PAUSE)
            sessions = processes_by_session() if self._guarded else {}
            for run, (limits, begun) in self._guarded.items():
                if excess := _excess(limits, sessions.get(run.pid, []), time.monotonic() - begun):
                    run.kill(excess)


def _excess(limits: Limits, processes: list[int], seconds: float) -> str | None:
    """What a run has too much of."""
    if limits.seconds is not None and seconds > limits.seconds:
        return f"it ran for longer than the {limits.seconds:g} s that it may take"
    if limits.memory is None:
        return None
    taken = memory_of(processes, limit=limits.memory)
    if taken <= limits.memory:
        return None
    return f"it took {taken >> 20} MiB of memory, more than the {limits.memory >> 20} MiB that it may take"
