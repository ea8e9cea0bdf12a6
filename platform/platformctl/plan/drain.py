"""Stopping workers without losing flow runs.

A warm worker drains by itself when it is told to stop, and the others of its pool go on meanwhile. Prefect's process
worker doesn't: on SIGTERM it kills its flow runs and leaves them Running for ever. So its pool is paused and its runs get
time to finish first. What is left when a worker is gone is crashed, or scheduled again if it had not begun. A mark on disk
says that the pause is ours, so that an interrupted command can be made good.
"""

from collections.abc import Sequence
from pathlib import Path

from platformctl.adapters.prefect.ports import Api
from platformctl.model.observed import FlowRun
from platformctl.waiting import wait_until

_UNFINISHED = ("RUNNING", "PENDING", "CANCELLING")


def interrupted_drains(state: Path) -> tuple[str, ...]:
    """Return the pools that a drain paused and that nobody let go on since."""
    return tuple(sorted(path.name for path in (state / "drains").glob("*")))


def pause_pool(api: Api, state: Path, pool: str) -> None:
    """Pause a pool for a drain, unless it isn't there or somebody has paused it already."""
    found = api.pool(pool)
    if found and not found.is_paused:
        mark = state / "drains" / pool
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        api.set_paused(pool, is_paused=True)


def resume_pool(api: Api, state: Path, pool: str) -> None:
    """Let a pool go on if a drain paused it."""
    mark = state / "drains" / pool
    if mark.exists():
        if api.pool(pool):
            api.set_paused(pool, is_paused=False)
        mark.unlink()


def unfinished_runs(api: Api, workers: Sequence[str]) -> list[FlowRun]:
    """Return the flow runs that some workers have begun and not ended."""
    return [run for run in api.runs(_UNFINISHED) if run.worker in workers]


def wait_for_runs(api: Api, workers: Sequence[str], *, seconds: float) -> bool:
    """Wait until some workers have no unfinished flow run; False where they still have after `seconds`."""
    return bool(wait_until(lambda: None if unfinished_runs(api, workers) else True, seconds=seconds, pause=0.5))
