"""How long things have been as they are, by this process's own clock: a server's and another machine's may be wrong."""

import time
from collections.abc import Hashable, Mapping
from typing import Any

_NOTHING: tuple[object, float] = (object(), 0.0)


class Unchanged:
    """What was seen of things, and since when."""

    def __init__(self, longest_pause: float) -> None:
        """longest_pause: seconds between two looks; after a longer one nothing that was seen before counts."""
        self._longest_pause = longest_pause
        self._looked = 0.0
        self._seen: dict[Hashable, tuple[object, float]] = {}

    def look(self, found: Mapping[Any, object]) -> dict[Any, float]:
        """Note what each thing is; returns for how many seconds it has been seen as that. What isn't found is forgotten."""
        now = time.monotonic()
        seen = self._seen if now - self._looked <= self._longest_pause else {}
        self._looked = now
        self._seen = {
            key: seen[key] if seen.get(key, _NOTHING)[0] == value else (value, now) for key, value in found.items()
        }
        return {key: now - since for key, (_, since) in self._seen.items()}
