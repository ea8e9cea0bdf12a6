"""Processes of this machine, through psutil: whose they are, and the end of those that nobody keeps."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

_HOME, _FOLDER = "PLATFORMCTL_HOME", "PLATFORMCTL_FOLDER"
_PROGRAM, _LABEL = "SUPERVISOR_GROUP_NAME", "SUPERVISOR_PROCESS_NAME"
_GRACE = 5.0
"""Seconds that a process gets to end before it is killed."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A process of a local platform, as its environment tells it."""

    pid: int
    program: str
    label: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port. home, folder: of the local platform that it belongs to, if any, as `marks` gives them."""

    process: str
    home: str
    folder: str

    def is_of(self, home: Path) -> bool:
        """Whether it belongs to the platform of a local folder."""
        return home.is_dir() and self.folder == marks(home)[_FOLDER]

    def __str__(self) -> str:
        return f"process {self.process}" + (f" of the platform in {Path(self.home).parents[1]}" if self.home else "")


def marks(home: Path) -> dict[str, str]:
    """Return the environment variables that mark every process of a platform. home: its local folder.

    The folder itself is what counts, by device and inode: its path is another one once it is moved.
    """
    found = home.stat()
    return {_HOME: str(home), _FOLDER: f"{found.st_dev}:{found.st_ino}"}


def find_marked(home: Path) -> tuple[Marked, ...]:
    """Return the processes of a platform, oldest first, whether a supervisor keeps them or not."""
    found = [_marked(process, environment) for process, environment in _processes(home)]
    return tuple(sorted(found, key=lambda marked: marked.started))


def end_marked(home: Path, programs: Collection[str], *, grace: float = _GRACE) -> None:
    """End every process of some programs of a platform, those that they started among them.

    grace: seconds after which one that stays is killed.
    """
    found = [process for process, environment in _processes(home) if environment.get(_PROGRAM) in programs]
    for process in found:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(found, timeout=grace)
    for process in alive:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=_GRACE)


def port_holder(port: int) -> Holder | None:
    """Return who listens on a TCP port; None where nobody does, or where this user may not know."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.AccessDenied, OSError):
        return None
    pids = [
        item.pid for item in connections if item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port
    ]
    return next((_describe(pid) for pid in pids if pid), None)


def _describe(pid: int) -> Holder:
    try:
        process = psutil.Process(pid)
        environment = process.environ()
        return Holder(f"{pid} ({process.name()})", environment.get(_HOME, ""), environment.get(_FOLDER, ""))
    except psutil.Error:
        return Holder(str(pid), "", "")


def _processes(home: Path) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    folder = marks(home)[_FOLDER] if home.is_dir() else None
    for process in psutil.process_iter(["environ"]) if folder else ():
        environment: dict[str, str] | None = process.info["environ"]
        if (
            environment
            and environment.get(_FOLDER) == folder
            and _PROGRAM in environment
            and process.pid != os.getpid()
        ):
            yield process, environment


def _marked(process: psutil.Process, environment: dict[str, str]) -> Marked:
    started = datetime.fromtimestamp(process.create_time(), UTC)
    return Marked(process.pid, environment[_PROGRAM], environment.get(_LABEL, ""), started)


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for doesn't."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def machine_processors() -> int | None:
    """Return how many processors this machine has; None where that isn't known."""
    return psutil.cpu_count()


def machine_memory() -> int:
    """Return how many bytes of memory this machine has."""
    return int(psutil.virtual_memory().total)
