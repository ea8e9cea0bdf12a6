"""One command at a time changes a platform. The kernel lets go of the lock when its holder ends, however it ends."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from platformctl.commands.workspace import Workspace
from platformctl.errors import LockedError
from platformctl.plan.report import Note, Report

PATIENCE = 900.0
"""Seconds that a command waits for another one."""


def lock_workspace(workspace: Workspace, command: str, report: Report) -> AbstractContextManager[None]:
    """Hold a platform's lock; a command that has to wait for it says for whom. Raises LockedError."""
    state = workspace.project().state
    return locked(state, command, waiting=lambda who: report(Note(f"Waiting for {who} to finish.")))


@contextmanager
def locked(state: Path, command: str, *, waiting: Callable[[str], None], patience: float = PATIENCE) -> Iterator[None]:
    """Hold the platform's lock for the body.

    state: the platform's .platform folder. waiting: called once with who holds the lock, if somebody does.
    Raises LockedError after `patience` seconds.
    """
    import filelock  # noqa: PLC0415  # it loads asyncio, which a command that changes nothing needn't

    state.mkdir(parents=True, exist_ok=True)
    lock, holder = filelock.FileLock(state / "lock"), state / "lock.json"
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        waiting(_describe(holder))
        try:
            lock.acquire(timeout=patience)
        except filelock.Timeout as error:
            raise _error(holder, patience) from error
    try:
        holder.write_text(json.dumps({"command": command, "pid": os.getpid(), "since": time.time()}), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _error(holder: Path, patience: float) -> LockedError:
    found = f"After {patience:.0f} s the platform is still being changed by {_describe(holder)}."
    return LockedError(found, remedy="Wait for it, or end that process; the lock goes with it.")


def _describe(holder: Path) -> str:
    try:
        found = json.loads(holder.read_text(encoding="utf-8"))
        return f"`{found['command']}` (process {found['pid']}, for {time.time() - found['since']:.0f} s)"
    except (OSError, ValueError, KeyError):
        return "another command"
