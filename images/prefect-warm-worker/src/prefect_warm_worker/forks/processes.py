"""What the kernel says of processes: which belong to a run, what memory they take. Linux only."""

import os
from collections.abc import Iterator
from pathlib import Path

from prefect_warm_worker.protocol import ENGINE_MODULE, ZYGOTE_MODULE

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ENGINES, _ZYGOTE = (ENGINE_MODULE.encode(), b"prefect.runner."), ZYGOTE_MODULE.encode()
"""What stands in the command line of an engine or its supervisor, and of a zygote and its forks; each of these leads a session."""


def processes_by_session() -> dict[int, list[int]]:
    """Return all processes by their session, which of a run is the pid of its first process."""
    found: dict[int, list[int]] = {}
    for pid, _, session in _sessions():
        found.setdefault(session, []).append(pid)
    return found


def adopted_orphans() -> Iterator[int]:
    """Yield the children of this process that came from a session which isn't its own: what runs left behind."""
    own = os.getsid(0)
    for pid, parent, session in _sessions():
        if parent == os.getpid() and session != own:
            yield pid


def memory_of(pids: list[int], *, limit: int) -> int:
    """Return the bytes that processes take beside what they share with the one they were forked from.

    limit: where not even the resident bytes exceed it those are the answer, which costs the kernel little.
    """
    resident = sum(_resident(pid) for pid in pids)
    return resident if resident <= limit else sum(_private(pid) for pid in pids)


def is_engine(pid: str | None) -> bool:
    """Whether a process is there that runs a flow, of any worker on this machine."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes()
        return any(engine in words for engine in _ENGINES) or (
            _ZYGOTE in words and os.getsid(int(str(pid))) == int(str(pid))
        )
    except OSError:
        return False


def out_of_memory_kills() -> int:
    """Return how many processes the kernel has ended here for want of memory; 0 where it doesn't say."""
    try:
        lines = Path("/sys/fs/cgroup/memory.events").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def _sessions() -> Iterator[tuple[int, int, int]]:
    """Each process with its parent and its session: proc_pid_stat(5)."""
    for folder in _PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue  # it ended
        yield int(folder.name), int(fields[1]), int(fields[3])


def _resident(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_bytes().split()[1]) * _PAGE
    except OSError:
        return 0


def _private(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_bytes().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith((b"Private_", b"Swap:")))
