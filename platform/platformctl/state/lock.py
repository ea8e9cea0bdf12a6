"""One command at a time changes a platform, wherever it is typed. It is kept with the platform, not with this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from platformctl.adapters.holders import this_process
from platformctl.errors import LockedError
from platformctl.model.holder import Holder
from platformctl.runtimes.keeper import Keeper
from platformctl.waiting import wait_until

PATIENCE = 900.0
"""Seconds that a command waits for another one."""
_PAUSE = 0.5
"""Seconds between two attempts to take the lock."""
Tell = Callable[[str], None]


@contextmanager
def hold_lock(keeper: Keeper, command: str, *, waiting: Tell, warn: Tell, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a platform's lock for the body.

    command: what its user typed. waiting: called with a sentence for each holder that is waited for. warn: called with one for
    each command that was cut off and left the lock behind. Raises LockedError where one still holds it after `patience`
    seconds, and RuntimeError where this process holds it already: it would wait for itself.
    """
    ours = this_process(command)
    try:
        if _attempt(keeper, ours, warn) is not None:
            _wait(keeper, ours, waiting, warn, patience)
        yield
    finally:
        keeper.release(ours)


def _wait(keeper: Keeper, ours: Holder, waiting: Tell, warn: Tell, patience: float) -> None:
    holders: list[Holder] = []

    def check() -> bool | None:
        found = _attempt(keeper, ours, warn)
        if found and found not in holders:
            waiting(f"Waiting for {found} to finish.")
            holders.append(found)
        return True if found is None else None

    if not wait_until(check, seconds=patience, pause=_PAUSE):
        raise _error(keeper, ours, holders[-1], patience)


def _attempt(keeper: Keeper, ours: Holder, warn: Tell) -> Holder | None:
    """Return who holds the lock; None where it is ours now."""
    attempt = keeper.acquire(ours)
    for holder in attempt.cut_off:
        warn(f"{holder} did not finish. This command takes over its lock.")
    if attempt.holder and attempt.holder.is_same_process(ours):
        raise RuntimeError(f"{attempt.holder} is this process, which wants the lock again for `{ours.command}`")
    return attempt.holder


def _error(keeper: Keeper, ours: Holder, holder: Holder, patience: float) -> LockedError:
    found = f"After {patience:.0f} s the platform is still being changed by {holder}."
    is_here = holder.machine == ours.machine
    remedy = (
        f"Wait for it, or end process {holder.pid}; that frees the lock." if is_here else keeper.how_to_free(holder)
    )
    return LockedError(found, remedy=remedy)
