"""The lock: one command at a time, and the one that waits says for whom."""

import threading
from pathlib import Path

import pytest

from platformctl.errors import LockedError
from platformctl.state.lock import locked


def test_the_second_says_who_holds_the_lock_and_gives_up_in_the_end(tmp_path: Path) -> None:
    waited: list[str] = []
    with (
        locked(tmp_path, "platformctl up", waiting=waited.append),
        pytest.raises(LockedError, match="`platformctl up` \\(process"),
        locked(tmp_path, "platformctl scale", waiting=waited.append, patience=0.1),
    ):
        pytest.fail("two held the lock")

    assert len(waited) == 1
    assert "`platformctl up` (process" in waited[0]


def test_the_second_goes_on_when_the_first_is_done(tmp_path: Path) -> None:
    held, release = threading.Event(), threading.Event()
    order: list[str] = []

    def first() -> None:
        with locked(tmp_path, "first", waiting=order.append):
            held.set()
            release.wait(10)
            order.append("first is done")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(10)
    with locked(tmp_path, "second", waiting=lambda _: release.set()):
        order.append("second goes on")
    thread.join()

    assert order == ["first is done", "second goes on"]
