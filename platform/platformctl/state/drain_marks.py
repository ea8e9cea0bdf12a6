"""Marks of drains: that a pool is paused because a command drains its workers, so that an interrupted one can be made good."""

from platformctl.runtimes.keeper import Keeper

_DRAINS = "drains/"


def drained_pools(keeper: Keeper) -> tuple[str, ...]:
    """Return the pools that a drain paused and that nobody let go on since, sorted."""
    return tuple(name.removeprefix(_DRAINS) for name in keeper.names(_DRAINS))


def mark_drain(keeper: Keeper, pool: str) -> None:
    """Note that a drain is about to pause a pool."""
    keeper.write(f"{_DRAINS}{pool}", b"")


def unmark_drain(keeper: Keeper, pool: str) -> None:
    """Note that a pool goes on."""
    keeper.remove(f"{_DRAINS}{pool}")
