"""Replacing the workers of a pool by turns, so that it goes on taking flow runs: each batch is online before the next one stops."""

from collections.abc import Iterator, Sequence

from platformctl.model.observed import Observed
from platformctl.model.service import Service
from platformctl.model.spec import Pool
from platformctl.plan.resources.drain import pause_steps, resume_steps, stop_steps
from platformctl.plan.resources.instance import StopInstances
from platformctl.plan.resources.service import StartServices
from platformctl.plan.resources.worker import (
    ForgetWorker,
    Replacement,
    await_workers_step,
    count_workers,
    replacements,
)
from platformctl.plan.room import has_room
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from prefect_warm_worker.contract import STOP_MARGIN_SECONDS


def replacement_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Replace the workers of each pool that can't stay as they are."""
    for name, pool in wanted.project.spec.pools.items():
        if replaced := replacements(wanted, observed, name):
            spare = _spare(wanted, observed, name, replaced)
            yield from _spare_start_steps(name, spare) if spare else ()
            size = batch_size(pool, drains=all(found.instance.drains for found in replaced))
            for first in range(0, len(replaced), size):
                yield from _batch_steps(name, pool, observed, replaced[first : first + size])
            yield from _spare_stop_steps(name, pool, spare) if spare else ()


def batch_size(pool: Pool, *, drains: bool) -> int:
    """Return how many workers of a pool are replaced at once: by default a quarter. drains: whether those that run do.

    Others are replaced together: their pool is paused meanwhile, and by turns it would be paused for longer.
    """
    return pool.batch or (max(1, pool.workers // 4) if drains else max(1, pool.workers))


def _batch_steps(name: str, pool: Pool, observed: Observed, batch: Sequence[Replacement]) -> Iterator[Step]:
    instances, services = [found.instance for found in batch], [found.service for found in batch]
    causes = "; ".join(dict.fromkeys(found.cause for found in batch))
    who = ", ".join(service.name for service in services)
    yield from pause_steps(name, instances, observed)
    yield from stop_steps(name, instances, pool, observed, f"{who}: {causes}")
    yield Step(f"workers {name}", Action.REPLACE, who, StartServices(tuple(found.name for found in services)))
    yield await_workers_step(f"workers {name}", services)
    yield from resume_steps(name, instances, observed)


def _spare(wanted: Wanted, observed: Observed, name: str, replaced: Sequence[Replacement]) -> Service | None:
    """The pool's spare, where its one worker serves it now and drains by itself, and the machine has room for one more."""
    spare = wanted.stack.spare(name)
    serves = all(found.instance.status == "running" and found.instance.drains for found in replaced)
    return spare if spare and serves and has_room(wanted, observed.machine, spare) else None


def _spare_start_steps(name: str, spare: Service) -> Iterator[Step]:
    yield Step(
        f"workers {name}", Action.CREATE, f"{spare.name} serves during the replacement", StartServices((spare.name,))
    )
    yield await_workers_step(f"workers {name}", [spare])


def _spare_stop_steps(name: str, pool: Pool, spare: Service) -> Iterator[Step]:
    change = StopInstances((spare.instance,), pool.grace + STOP_MARGIN_SECONDS)
    yield Step(f"workers {name}", Action.DRAIN, f"{count_workers([spare])}: {spare.name} is no longer needed", change)
    yield Step(
        f"worker {spare.instance}", Action.REMOVE, "delete its record in Prefect", ForgetWorker(name, spare.instance)
    )
