"""What is kept with a platform, and not with the machine on which somebody types: a port, implemented by each runtime.

It holds small entries (marks of drains, say), and the lock. Reading starts nothing, and takes a few milliseconds.
"""

from dataclasses import dataclass
from typing import Protocol

from platformctl.model.holder import Holder


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt to take the lock.

    holder: who has it; None where it is ours now. cut_off: whose process ended without giving it back, where we took it over.
    """

    holder: Holder | None
    cut_off: tuple[Holder, ...] = ()


class Keeper(Protocol):
    """Entries by name, and one lock. Every method raises PlatformError where what keeps them doesn't answer.

    A name is made of parts with slashes between them: `drains/prod`. An entry is meant to be small, a megabyte at most.
    A reader sees an entry as it was or as it is, never a part. Only who has the lock may change entries.
    """

    def read(self, name: str) -> bytes | None:
        """Return an entry; None where there is none."""

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names of the entries that begin so, sorted."""

    def write(self, name: str, content: bytes) -> None:
        """Keep an entry, in place of the one that has its name."""

    def remove(self, name: str) -> None:
        """Keep an entry no more. One that isn't there is fine."""

    def clear(self) -> None:
        """Keep no entry any more. The lock stays as it is."""

    def acquire(self, holder: Holder) -> Attempt:
        """Take the lock unless another process that still runs has it. Never waits."""

    def release(self, holder: Holder) -> None:
        """Give the lock back. Where this holder doesn't have it, nothing happens."""

    def how_to_free(self, holder: Holder) -> str:
        """Return a sentence: how an operator takes the lock from a holder that is gone for good."""
