"""What is learned by importing ahead, kept for every further zygote: which modules can't be, why, and what can instead.

A zygote tells of each module when it begins and when it is through. So it is known what one that hangs, or dies, was at.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from prefect_warm_worker.protocol import Message
from prefect_warm_worker.snapshots import Snapshot
from prefect_warm_worker.variables import Reads

SECONDS = 60.0
"""Seconds that all imports may take together in a zygote, unless it is said otherwise."""
_SILENT_PART = 1 / 3
"""The part of them in which none begins or ends, before the one that is at work is given up."""
_STARTING = 120.0
"""Seconds in which an interpreter starts and imports what every run needs."""
MOST_ATTEMPTS = 10
"""How many zygotes are tried at most: one that is not ready leaves the next one less to import."""


class Preloading:
    """Some modules that are to be imported ahead, and what is known of them."""

    def __init__(
        self,
        wanted: Sequence[str],
        engine: Sequence[str] = (),
        seconds: float = SECONDS,
        left_out: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """wanted: modules that runs need. engine: those that every run does; they are imported first, and not judged.

        left_out: what is known not to be importable ahead, with the reasons.
        """
        self.wanted, self.engine, self.seconds = list(wanted), list(engine), seconds
        self.left_out = dict(left_out)
        self._instead: list[str] | None = None

    @property
    def modules(self) -> list[str]:
        """What is imported, in this order."""
        return [name for name in self._names if name not in self.left_out]

    @property
    def failed(self) -> dict[str, str]:
        """Those that are wanted and not imported ahead, with the reasons."""
        return {name: self.left_out[name] for name in self.wanted if name in self.left_out}

    @property
    def preloaded(self) -> list[str]:
        """Those that are wanted and imported ahead."""
        return [name for name in self.wanted if name not in self.left_out]

    @property
    def request(self) -> Message:
        """What a zygote is told of it."""
        return {"engine": self.engine, "preload": self.modules, "left_out": self.left_out}

    def learn(self, left_out: Mapping[str, str], instead: Iterable[str]) -> None:
        """Note what can't be imported ahead, with the reasons, and what can."""
        self.left_out |= left_out
        self._instead = list(instead)

    @property
    def _names(self) -> list[str]:
        return self.wanted if self._instead is None else self._instead


class Attempt:
    """One zygote's attempt at it, as far as it has told."""

    def __init__(self, preloading: Preloading) -> None:
        self._preloading = preloading
        self._importing: list[str] = []
        self._done: dict[str, tuple[str, ...]] = {}
        """Modules that are imported, each with those that imported it."""
        self._told = time.monotonic()
        self._until = self._told + _STARTING
        """When the time for all is over, by the monotonic clock."""
        self._silence = _STARTING
        self.is_through = False
        self.pid: int | None = None
        """The zygote, where it is ready."""
        self.sources: Snapshot = {}
        self.reads = Reads()

    def note(self, message: Message) -> None:
        """Note what the zygote tells."""
        self._told = time.monotonic()
        match message:
            case {"importing": _}:
                self._until = self._told + self._preloading.seconds
                self._silence = self._preloading.seconds * _SILENT_PART
            case {"imported": _}:
                self._until, self._silence = math.inf, _STARTING
            case {"begun": name}:
                self._importing.append(name)
            case {"done": name}:
                self._importing.pop()
                self._done[name] = tuple(self._importing)
            case {"ready": is_ready, "left_out": left_out, "preload": instead}:
                self.is_through = True
                self._preloading.learn(left_out, self._preloading.modules if is_ready else instead)
                if is_ready:
                    self.pid, self.sources = message["pid"], message["sources"]
                    self.reads = Reads.from_message(message["reads"])

    def seconds_left(self) -> float:
        """Return in how many seconds it is given up, if it tells nothing more."""
        return min(self._until, self._told + self._silence) - time.monotonic()

    def give_up(self, how: str) -> bool:
        """Learn from a zygote that is dead now; returns whether another one can do better. how: it came to its end."""
        left_out = dict.fromkeys(
            self._importing, f"it imports {self._importing[-1]}: {how}" if self._importing else how
        )
        left_out.update(dict.fromkeys(self._importing[-1:], how))
        if time.monotonic() >= self._until:
            late = "there was no time left for it"
            left_out |= {name: late for name in self._preloading.modules if name not in self._done | left_out}
        if not left_out:
            return False
        given_up = set(self._importing)
        able = [name for name, importers in self._done.items() if given_up.issuperset(importers)]
        rest = [name for name in self._preloading.modules if name not in self._done | left_out]
        self._preloading.learn(left_out, [*able, *rest])
        return True
