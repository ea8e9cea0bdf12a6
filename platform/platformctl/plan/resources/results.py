"""Persisted results: each pool has its own, so that no pool's flows can overwrite what another's read.

Before, all pools shared one volume. What is in it is copied to each pool, and it stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.plan.resources.worker import replacements
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.stack.names import RESULTS, results_name


@dataclass(frozen=True, slots=True)
class CopyResults:
    """Copy a volume to where a worker persists results. What is newer there stays."""

    needs_client: ClassVar[bool] = False
    service: str
    volume: str

    def apply(self, world: World) -> None:
        """Have the runtime copy it."""
        world.runtime.copy_results(self.service, self.volume)


def first_copy_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Copy what all pools shared, before a pool's first worker with results of its own starts."""
    for pool, change in _copies(wanted, observed):
        yield Step(
            f"results {pool}", Action.CREATE, f"copy of {change.volume}, which all pools shared; it is kept", change
        )


def last_copy_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Copy what was added meanwhile by the flow runs of workers that were replaced, once the last of them has stopped."""
    for pool, change in _copies(wanted, observed):
        if replacements(wanted, observed, pool):
            cause = f"what was added to {change.volume} while workers were replaced"
            yield Step(f"results {pool}", Action.UPDATE, cause, change)


def _copies(wanted: Wanted, observed: Observed) -> Iterator[tuple[str, CopyResults]]:
    """The pools that still share their results, each with what copies them."""
    shared, held = _volume(wanted, RESULTS), observed.machine.volumes
    for pool in wanted.project.spec.pools:
        workers = wanted.stack.workers(pool)
        if workers and shared in held and _volume(wanted, results_name(pool)) not in held:
            yield pool, CopyResults(workers[0].name, shared)


def _volume(wanted: Wanted, name: str) -> str:
    return f"{wanted.project.spec.platform.name}_{name}"
