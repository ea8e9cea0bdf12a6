"""The process beside a zygote that imports: it ends whatever that has started, should the import fail or the worker go away.

An import may hang, crash, or leave children in sessions of their own. This process is their parent as well as the zygote's, so none
of them outlives it; once the zygote is ready it goes, and the zygote becomes the worker's own child.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
from pathlib import Path

from prefect_warm_worker.orphans import adopt_orphans
from prefect_warm_worker.protocol import SIGNALLED

_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG."""
_READY = b"."
_GRACE = 1.0
"""Seconds that a zygote gets to end whose channel is closed already."""


def go_on_guarded(channel: socket.socket) -> socket.socket:
    """Go on in a child of this process, which never returns; returns what tells it that the child is ready."""
    theirs, ours = socket.socketpair()
    adopt_orphans()
    pid = os.fork()
    if pid:
        ours.close()
        os._exit(_guard(pid, channel, theirs))
    theirs.close()
    adopt_orphans()  # which a fork doesn't inherit
    _die_with_parent(signal.SIGKILL)
    return ours


def dismiss(guardian: socket.socket) -> None:
    """Let the guardian go: all is imported."""
    _die_with_parent(0)
    with guardian:
        guardian.send(_READY)


def _guard(pid: int, channel: socket.socket, zygote: socket.socket) -> int:
    """Wait for a zygote; returns 0 where it is ready, or the code that it ended with, and then nothing of it is left."""
    poll = select.poll()
    poll.register(channel, 0)  # it tells of the other side's end all the same
    poll.register(zygote, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll()}
    if zygote.fileno() in ready and zygote.recv(1) == _READY:
        return 0
    with contextlib.suppress(ProcessLookupError), os.fdopen(os.pidfd_open(pid)) as ended:
        select.select([ended], [], [], _GRACE if channel.fileno() not in ready else 0)  # so that its own end is known
    return _end_all(pid)


def _end_all(zygote: int) -> int:
    """End all children and theirs, which become this process's; returns the code that the zygote ended with."""
    code = 1
    while True:
        for pid in _children() or [zygote]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return code
        if pid == zygote:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else SIGNALLED - ended


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()]


def _die_with_parent(signal_: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_DEATH_SIGNAL, signal_, 0, 0, 0)
