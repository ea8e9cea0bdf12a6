"""A keeper in memory, for tests."""

import threading
from dataclasses import dataclass, field

from platformctl.adapters.holders import is_gone
from platformctl.model.holder import Holder
from platformctl.runtimes.keeper import Attempt


@dataclass
class FakeKeeper:
    """Entries and a lock in memory."""

    entries: dict[str, bytes] = field(default_factory=dict)
    holder: Holder | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def read(self, name: str) -> bytes | None:
        """Return an entry."""
        return self.entries.get(name)

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names that begin so."""
        return tuple(sorted(name for name in self.entries if name.startswith(prefix)))

    def write(self, name: str, content: bytes) -> None:
        """Keep an entry."""
        self.entries[name] = content

    def remove(self, name: str) -> None:
        """Keep an entry no more."""
        self.entries.pop(name, None)

    def clear(self) -> None:
        """Keep no entry any more."""
        self.entries.clear()

    def acquire(self, holder: Holder) -> Attempt:
        """Take the lock unless it is another's."""
        with self._guard:
            found = self.holder
            if found and not is_gone(found):
                return Attempt(found)
            self.holder = holder
            return Attempt(None, (found,) if found else ())

    def release(self, holder: Holder) -> None:
        """Give the lock back."""
        with self._guard:
            if self.holder and self.holder.id == holder.id:
                self.holder = None

    def how_to_free(self, holder: Holder) -> str:
        """Say what a test can look for."""
        return f"Forget {holder.host}."
