"""Stopping workers without losing flow runs.

A warm worker drains by itself when it is told to stop, and the others of its pool go on meanwhile. Prefect's process worker
doesn't: on SIGTERM it kills its flow runs and leaves them Running for ever. So its pool is paused, and its runs get time to finish
first. A mark that is kept with the platform says that the pause is ours, so that an interrupted command can be made good. What is
left when a worker is gone is ended, or scheduled again, once that is observed (`run.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Instance, Observed
from platformctl.model.spec import Pool
from platformctl.plan.resources.instance import StopInstances
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World
from platformctl.state.drain_marks import mark_drain, unmark_drain
from platformctl.waiting import wait_until
from prefect_warm_worker.contract import STOP_MARGIN_SECONDS

_GRACE_OF_REMOVED = 60
"""Seconds for the flow runs of a pool that platform.toml has no more."""
_KILL_AFTER = 10
"""Seconds that a worker without flow runs gets to end."""


@dataclass(frozen=True, slots=True)
class MarkDrain:
    """Keep in mind that the pause of a pool is a drain's."""

    needs_client: ClassVar[bool] = False
    pool: str

    def apply(self, world: World) -> None:
        """Write the mark."""
        mark_drain(world.runtime.keeper, self.pool)


@dataclass(frozen=True, slots=True)
class UnmarkDrain:
    """Forget that a drain paused a pool."""

    needs_client: ClassVar[bool] = False
    pool: str

    def apply(self, world: World) -> None:
        """Remove the mark."""
        unmark_drain(world.runtime.keeper, self.pool)


@dataclass(frozen=True, slots=True)
class PausePool:
    """Have a pool hand out no more flow runs."""

    needs_client: ClassVar[bool] = False
    pool: str

    def apply(self, world: World) -> None:
        """Pause it in Prefect."""
        world.api.set_paused(self.pool, is_paused=True)


@dataclass(frozen=True, slots=True)
class ResumePool:
    """Have a pool hand out flow runs again."""

    needs_client: ClassVar[bool] = False
    pool: str

    def apply(self, world: World) -> None:
        """Resume it in Prefect."""
        world.api.set_paused(self.pool, is_paused=False)


@dataclass(frozen=True, slots=True)
class AwaitRuns:
    """Wait until some workers have no unfinished flow run, or until their grace is over. seconds: of that grace."""

    needs_client: ClassVar[bool] = False
    workers: tuple[str, ...]
    seconds: int

    def apply(self, world: World) -> None:
        """Wait; runs that are left are no error here."""
        wait_until(lambda: None if self._has_runs(world) else True, seconds=self.seconds, pause=0.5)

    def _has_runs(self, world: World) -> bool:
        names = [run.name for run in world.api.taken_runs() if run.worker in self.workers]
        world.note(f"{', '.join(names)} not finished yet" if names else "")
        return bool(names)


def interrupted_drain_steps(observed: Observed) -> Iterator[Step]:
    """Resume the pools that an interrupted command left paused."""
    for pool in observed.interrupted_drains:
        if observed.prefect is None or pool in observed.prefect.pools:
            yield Step(f"pool {pool}", Action.RESUME, "an interrupted command left it paused", ResumePool(pool))
        yield Step(f"pool {pool}", Action.RECORD, "it hands out flow runs again", UnmarkDrain(pool))


def unmark_steps(observed: Observed) -> Iterator[Step]:
    """Forget every drain."""
    for pool in observed.interrupted_drains:
        yield Step(f"pool {pool}", Action.RECORD, "it is removed", UnmarkDrain(pool))


def pause_steps(name: str, instances: Sequence[Instance], observed: Observed) -> Iterator[Step]:
    """Pause the pool of workers that would kill their flow runs, unless somebody has paused it already."""
    if _needs_pause(name, instances, observed):
        yield Step(f"pool {name}", Action.RECORD, "it is paused for a drain", MarkDrain(name))
        yield Step(f"pool {name}", Action.PAUSE, "its process workers can't drain by themselves", PausePool(name))


def resume_steps(name: str, instances: Sequence[Instance], observed: Observed) -> Iterator[Step]:
    """Resume what `pause_steps` paused."""
    if _needs_pause(name, instances, observed):
        yield Step(f"pool {name}", Action.RESUME, "its drain is over", ResumePool(name))
        yield Step(f"pool {name}", Action.RECORD, "it hands out flow runs again", UnmarkDrain(name))


def stop_steps(
    name: str, instances: Sequence[Instance], pool: Pool | None, observed: Observed, cause: str
) -> Iterator[Step]:
    """Drain and remove workers of a pool. pool: None where platform.toml has it no more. cause: why they go."""
    grace = pool.grace if pool else _GRACE_OF_REMOVED
    workers = tuple(instance.name for instance in instances)
    resource, said = f"workers {name}", cause + _finishing(workers, observed, grace)
    if all(instance.drains for instance in instances):
        yield Step(resource, Action.DRAIN, said, StopInstances(workers, grace + STOP_MARGIN_SECONDS))
        return
    yield Step(resource, Action.WAIT, f"{grace} s at most for their flow runs to finish", AwaitRuns(workers, grace))
    yield Step(resource, Action.REMOVE, said, StopInstances(workers, _KILL_AFTER))


def _finishing(workers: Sequence[str], observed: Observed, grace: int) -> str:
    runs = [run.name for run in (observed.prefect.runs if observed.prefect else ()) if run.worker in workers]
    return f"; {grace} s to finish for {', '.join(runs)}" if runs else ""


def _needs_pause(name: str, instances: Sequence[Instance], observed: Observed) -> bool:
    """A pause that an interrupted drain left is no pause that somebody wants."""
    there = observed.prefect.pools.get(name) if observed.prefect else None
    is_handing_out = there is not None and (not there.is_paused or name in observed.interrupted_drains)
    return is_handing_out and not all(instance.drains for instance in instances)
