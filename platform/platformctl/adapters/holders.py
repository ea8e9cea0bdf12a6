"""Whether the process that holds a lock still runs, as far as this machine can know."""

import os
import pwd
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

from platformctl.model.holder import Holder

_ENDED = ("Z", "X")
"""States of a process that has ended, and whose parent hasn't asked how."""


def this_process(command: str) -> Holder:
    """Return this process as a new holder. command: what its user typed."""
    return Holder(
        id=uuid.uuid4().hex,
        command=command,
        user=_user(),
        host=socket.gethostname(),
        machine=_machine(),
        pid=os.getpid(),
        started=_started(os.getpid()) or "",
        since=datetime.now(UTC),
    )


def is_gone(holder: Holder) -> bool:
    """Whether a holder's process has ended; False where this machine can't know."""
    if holder.machine != _machine():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's
    return _started(holder.pid) not in (holder.started, None)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _machine() -> str:
    """This host, and the namespace of its processes: a container with the host's network has the host's name too."""
    identity, namespace = Path("/etc/machine-id"), Path("/proc/self/ns/pid")
    parts = (
        socket.gethostname(),
        identity.read_text(encoding="ascii").strip() if identity.is_file() else "",
        str(namespace.readlink()) if namespace.is_symlink() else "",
    )
    return " ".join(part for part in parts if part)


def _started(pid: int) -> str | None:
    """What no later process with this pid has; empty for one that has ended, None where this user may not know.

    On Linux the clock tick since that boot (proc_pid_stat(5)): a time of day moves when the clock is set.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _started_elsewhere(pid)
    return "" if fields[0] in _ENDED else f"{boot} {fields[19]}"


def _started_elsewhere(pid: int) -> str | None:
    import psutil  # noqa: PLC0415  # where the kernel has no /proc

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None
