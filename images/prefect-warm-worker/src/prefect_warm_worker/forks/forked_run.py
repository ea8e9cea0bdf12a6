"""A run that a zygote forked, as its worker knows it: to Prefect a process, with a pid and a return code."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager


class ForkedRun:
    """A process with a return code, which is minus the signal that ended it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended = asyncio.Event()
        self.reason = ""
        self.is_cancelled = False
        self.is_handed_back = False
        self.read_too_late: list[str] = []
        """The variables that its zygote had read with other values, so that it became a new interpreter."""

    def kill(self, reason: str = "", *, is_handed_back: bool = False) -> None:
        """End it at once. reason: why, for its log. is_handed_back: another one takes its place, so that it hasn't failed."""
        if self.ended.is_set():
            return
        self.reason = self.reason or reason
        self.is_handed_back = self.is_handed_back or is_handed_back
        for kill in (os.killpg, os.kill):  # one that has just been forked doesn't lead its group yet
            with contextlib.suppress(ProcessLookupError):
                kill(self.pid, signal.SIGKILL)

    def last_words(self, lines: Iterable[str]) -> str | None:
        """Return what it can't say itself of how it was ended; None where nothing ended it that nobody wanted.

        lines: the last ones that it wrote.
        """
        if self.returncode is None or self.returncode >= 0 or self.is_cancelled:
            return None
        reason = f", because {self.reason}" if self.reason else ""
        said = "\n".join(lines) or "(nothing)"
        return f"Its process was ended by {signal.Signals(-self.returncode).name}{reason}. Its last output:\n{said}"

    def end(self, code: int) -> None:
        """Note how it ended."""
        self.returncode = 0 if self.is_handed_back else code
        self.ended.set()

    def watch(self) -> None:
        """Note its end when it comes: its zygote is dead, and it a child of this process."""
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self.end(-signal.SIGKILL)  # it ended with its zygote, and nobody knows how
            return

        def note_end() -> None:
            loop.remove_reader(descriptor)
            code = _wait_for(descriptor)
            os.close(descriptor)
            self.end(code)

        loop.add_reader(descriptor, note_end)


Begin = Callable[[Mapping[str, str], str], AbstractAsyncContextManager[ForkedRun]]
"""Begins a run with some environment variables more, of a module; the context ends when the run does."""


def _wait_for(descriptor: int) -> int:
    """Return the code that a child ended with. descriptor: of the process."""
    try:
        found = os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
    except ChildProcessError:
        found = None
    if found is None:
        return -signal.SIGKILL
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
