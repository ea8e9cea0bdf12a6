"""Waiting in tests, and telling what a test is about to do."""

from collections.abc import Callable
from typing import TypeVar

from platformctl.waiting import wait_until

T = TypeVar("T")


def step(sentence: str) -> None:
    """Name the next step of a test; pytest shows it when the test fails."""
    print(f"-- {sentence}", flush=True)


def wait_for(what: str, look: Callable[[], T], holds: Callable[[T], object] = bool, *, seconds: float = 60) -> T:
    """Look until what is seen holds, and return it; fails with what was seen last."""
    seen: list[T] = []

    def check() -> bool | None:
        seen[:] = [look()]
        return True if holds(seen[0]) else None

    assert wait_until(check, seconds=seconds), f"not within {seconds:.0f} s: {what}; seen last: {seen[0]!r}"
    return seen[0]
