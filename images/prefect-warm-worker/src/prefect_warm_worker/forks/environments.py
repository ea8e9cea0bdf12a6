"""Which zygote forks a run: the one for the environment that runs have in common, or one of a few for others.

A run whose environment differs in what a zygote has read would have that zygote's values. One of its own has been started
with the run's, and serves all that have the same.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

from prefect_warm_worker.forks.forker import Forker
from prefect_warm_worker.forks.forking import ZygoteError
from prefect_warm_worker.variables import CONTROL

_REMEMBERED_SECONDS = 3600.0
"""How long values are remembered that a run had: a zygote is worth starting for those that come back, and not for a date."""
_MOST_REMEMBERED = 1000
_IDLE_SECONDS = 60.0
"""How long a zygote has forked nothing that goes in favour of another one."""

_Values = frozenset[tuple[str, str | None]]


class Environments:
    """The zygotes of a worker."""

    def __init__(self, common: Forker, make: Callable[[Mapping[str, str]], Forker], most: int) -> None:
        """make: makes what forks for another environment. most: how many of those there may be."""
        self.common, self._make, self._most = common, make, most
        self._others: dict[Forker, float] = {}
        self._seen: dict[_Values, float] = {}
        self._hopeless: set[_Values] = set()
        self._starting: dict[_Values, asyncio.Task[None]] = {}

    async def choose(self, environment: Mapping[str, str]) -> tuple[Forker, list[str]]:
        """Return what forks a run of an environment, and the variables that it has read with other values all the same.

        With such a run's second, a zygote for it is started beside.
        """
        late = await self.common.find_read(environment)
        if not late:
            return self.common, []
        for other in list(self._others):
            if not await other.is_current():
                self._let_go(other)
            elif not await other.find_read(environment):
                self._others[other] = time.monotonic()
                return other, []
        self._note(frozenset((name, environment.get(name)) for name in late), environment)
        return self.common, late

    def close(self) -> None:
        """Start no more."""
        for starting in self._starting.values():
            starting.cancel()

    def _note(self, values: _Values, environment: Mapping[str, str]) -> None:
        now = time.monotonic()
        last = self._seen.pop(values, None)
        self._seen[values] = now
        if len(self._seen) > _MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        is_back = last is not None and now - last < _REMEMBERED_SECONDS
        if is_back and values not in self._starting and values not in self._hopeless and self._has_room(now):
            self._starting[values] = asyncio.create_task(self._start(values, environment))

    def _has_room(self, now: float) -> bool:
        """Whether another zygote may be started; lets an idle one go for it."""
        if len(self._others) + len(self._starting) < self._most:
            return True
        idle = [other for other, used in self._others.items() if other.zygote.is_idle and now - used > _IDLE_SECONDS]
        if not idle:
            return False
        self._let_go(min(idle, key=self._others.__getitem__))
        return True

    async def _start(self, values: _Values, environment: Mapping[str, str]) -> None:
        other = self._make({name: value for name, value in environment.items() if not name.startswith(CONTROL)})
        try:
            with contextlib.suppress(ZygoteError):
                await other.start()
                self._others[other] = time.monotonic()
                return
            self._hopeless.add(values)
        finally:
            del self._starting[values]

    def _let_go(self, other: Forker) -> None:
        del self._others[other]
        other.zygote.retire()
