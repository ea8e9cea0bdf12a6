"""Variables of the environment that a process has read, and so would heed too late if they were changed.

Code in Python asks `os.environ`, which can be recorded. Code in C asks the system: a file that is mapped into the process
holds the names of what it may ask for.
"""

import functools
import mmap
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect_warm_worker.snapshots import fingerprint

CONTROL = "PREFECT__"
"""How the variables begin with which Prefect and a worker control a single run: each process reads its own when it begins."""
MODULE_PATH = "PYTHONPATH"
"""What a fork heeds by itself: it sets its path, and compares what that would find with what it has imported."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What a process has read: single variables, all that begin in some way, or all that there are.

    files: of its code, which may read what they name.
    """

    names: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    whole: bool = False
    files: tuple[str, ...] = ()

    def to_message(self) -> dict[str, Any]:
        """Return it as a message of JSON holds it."""
        return asdict(self)

    @staticmethod
    def from_message(message: Mapping[str, Any]) -> "Reads":
        """Return what a message holds."""
        names, beginnings, files = (tuple(message[key]) for key in ("names", "beginnings", "files"))
        return Reads(names, beginnings, message["whole"], files)

    def find(self, names: Iterable[str]) -> list[str]:
        """Return those of some variables that are read, or may be. It may search large files."""
        return [name for name in names if self._may_have_read(name)]

    def _may_have_read(self, name: str) -> bool:
        is_asked_for = self.whole or name in self.names or name.startswith(self.beginnings)
        return is_asked_for or any(_names(file, name) for file in self.files)


def find_changed(had: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return the variables, sorted, that differ between two environments, without those that a fork heeds anyhow."""
    changed = (name for name in had.keys() | wanted.keys() if had.get(name) != wanted.get(name))
    return sorted(name for name in changed if not name.startswith(CONTROL) and name != MODULE_PATH)


def _names(file: str, variable: str) -> bool:
    return _holds(file, variable.encode(), tuple(fingerprint(file)))


@functools.lru_cache(maxsize=100_000)
def _holds(file: str, text: bytes, _: tuple[int, ...]) -> bool:
    """Whether a file holds a text, also within a longer one: compilers let names share their ends, and not all end with a zero."""
    try:
        with Path(file).open("rb") as code, mmap.mmap(code.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(text) >= 0
    except ValueError:
        return False  # it is empty
    except OSError:
        return True  # it was removed since, and nobody knows
