"""What a module did to this process beside being imported: what a fork would lack, or share with others, or have too early."""

import os
import threading
import warnings
from pathlib import Path

_TASKS = Path("/proc/self/task")


class Probe:
    """Looks again and again; what it has seen once it takes for granted."""

    def __init__(self) -> None:
        self._threads = _threads()

    def look(self) -> str | None:
        """Return why a fork of this process is not what a new interpreter is, if something has become so since."""
        return self._look_for_threads() or _look_for_children()

    def _look_for_threads(self) -> str | None:
        found = _threads()
        if found <= self._threads:
            return None
        try_fork()
        former, self._threads = self._threads, _threads()
        started = self._threads - former
        return f"it starts a thread ({', '.join(sorted(map(_name, started)))})" if started else None


def _look_for_children() -> str | None:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return "it leaves a process running"


def try_fork() -> None:
    """Fork once for nothing: libraries that are ready for it, as numpy's OpenBLAS is, end their threads before a fork."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which are what is looked for
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _threads() -> set[int]:
    """Return the ids of this process's threads, those of libraries written in C too."""
    return {int(name) for name in os.listdir(_TASKS)} if _TASKS.exists() else {threading.get_native_id()}  # noqa: PTH208  # names only


def _name(thread: int) -> str:
    """Return what a thread is called: by Python, or else by the kernel."""
    for known in threading.enumerate():
        if known.native_id == thread:
            return known.name
    try:
        return (_TASKS / str(thread) / "comm").read_text("utf-8").strip()
    except OSError:
        return "one that has ended"
