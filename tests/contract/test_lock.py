"""The lock between processes: in a folder, and on the engine."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import lock_command
from engines import real_engine
from platformctl.errors import LockedError
from platformctl.state.lock import hold_lock


@dataclass(frozen=True)
class Command:
    """A process that holds the lock, or waits for it."""

    process: subprocess.Popen[str]

    def next_line(self) -> str:
        """Return the next line that it says; empty at its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def finish(self) -> None:
        """Let it come to its end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def end(self, number: signal.Signals) -> None:
        """End it in the middle."""
        self.process.send_signal(number)
        self.process.wait()


class Commands:
    """Starts commands on one platform. journal: what they note in it, in order."""

    def __init__(self, where: str, journal: Path, stack: ExitStack) -> None:
        self.where, self.journal, self._stack = where, journal, stack

    def __call__(self, name: str) -> Command:
        """Start one."""
        words = [sys.executable, lock_command.__file__, self.where, name, str(self.journal)]
        pipe = subprocess.PIPE
        process = self._stack.enter_context(subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        self._stack.callback(process.kill)
        return Command(process)


@pytest.fixture(params=["folder", pytest.param("engine", marks=pytest.mark.engine)])
def begin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Commands]:
    """Starts commands on a platform that nobody has locked."""
    with ExitStack() as stack:
        where = str(tmp_path / "kept") if request.param == "folder" else _on_engine(stack)
        yield Commands(where, tmp_path / "journal", stack)


def _on_engine(stack: ExitStack) -> str:
    """Return the name of a platform of which nothing is left on the engine in the end."""
    engine, platform = real_engine(), f"t{uuid.uuid4().hex[:6]}"

    def remove() -> None:
        for volume in engine.state_volumes(platform):
            engine.remove_state_volume(volume)

    stack.callback(remove)
    return platform


def test_one_that_waits_goes_on_when_the_first_is_done(begin: Commands) -> None:
    first = begin("first")
    assert first.next_line() == "has the lock"
    second = begin("second")
    assert second.next_line().startswith("Waiting for `first` (")
    first.finish()

    assert second.next_line() == "has the lock"


def test_the_lock_of_a_killed_command_is_taken_over(begin: Commands) -> None:
    first = begin("first")
    assert first.next_line() == "has the lock"
    first.end(signal.SIGKILL)
    second = begin("second")

    assert second.next_line().startswith("`first` (")
    assert second.next_line() == "has the lock"
    second.finish()
    assert begin("third").next_line() == "has the lock"


def test_one_that_waits_for_a_command_that_is_killed_goes_on(begin: Commands) -> None:
    first = begin("first")
    assert first.next_line() == "has the lock"
    second = begin("second")
    assert second.next_line().startswith("Waiting for `first` (")
    first.end(signal.SIGKILL)

    assert "did not finish" in second.next_line()
    assert second.next_line() == "has the lock"


def test_an_interrupted_command_gives_the_lock_back(begin: Commands) -> None:
    first = begin("first")
    assert first.next_line() == "has the lock"
    first.end(signal.SIGINT)

    assert begin("second").next_line() == "has the lock"


def test_of_several_that_wait_one_at_a_time_goes_on(begin: Commands) -> None:
    first = begin("first")
    assert first.next_line() == "has the lock"
    others = [begin(f"other-{number}") for number in range(4)]
    for other in others:
        assert other.next_line().startswith("Waiting for `first` (")
        assert other.process.stdin is not None
        other.process.stdin.close()
    first.finish()
    assert [other.process.wait() for other in others] == [0, 0, 0, 0]

    lines = [line.split() for line in begin.journal.read_text().splitlines()]
    assert len(lines) == 10
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    assert all(pair == (["begins", pair[0][1]], ["ends", pair[0][1]]) for pair in pairs)


def test_one_that_gives_up_says_which_process_to_end(begin: Commands) -> None:
    first = begin("first")
    assert first.next_line() == "has the lock"
    with (
        pytest.raises(LockedError, match="still being changed by `first`") as caught,
        hold_lock(lock_command.open_keeper(begin.where), "second", waiting=print, warn=print, patience=0),
    ):
        pytest.fail("two held the lock")

    assert f"end process {first.process.pid}" in caught.value.remedy


def test_a_process_that_has_the_lock_may_not_take_it_again(begin: Commands) -> None:
    with (
        hold_lock(lock_command.open_keeper(begin.where), "first", waiting=print, warn=print),
        pytest.raises(RuntimeError, match="wants the lock again"),
        hold_lock(lock_command.open_keeper(begin.where), "second", waiting=print, warn=print),
    ):
        pytest.fail("it had the lock twice")
