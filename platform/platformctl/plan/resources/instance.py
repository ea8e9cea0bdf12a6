"""Instances, whatever service they are of: stopped and removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Machine, Observed
from platformctl.model.service import STOP_SECONDS
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World

_ORDER = ("deploy", "server", "migrate", "database")
_SHORT_GRACE = 10


@dataclass(frozen=True, slots=True)
class StopInstances:
    """Stop and remove instances, all at once. instances: names or ids. grace: seconds until they are killed."""

    needs_client: ClassVar[bool] = False
    instances: tuple[str, ...]
    grace: int

    def apply(self, world: World) -> None:
        """Have the runtime stop them."""
        world.runtime.stop(self.instances, grace=self.grace)


def leftover_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Remove what is of no service any more, one-shots that were interrupted among it. Workers are drained elsewhere."""
    kept = {service.name for service in wanted.stack.services if service.role != "deploy"}
    for instance in observed.machine.instances:
        if instance.service not in kept and instance.role != "worker":
            cause = f"left over: {instance.service} is not wanted any more"
            yield Step(instance.name, Action.REMOVE, cause, StopInstances((instance.id,), grace=_SHORT_GRACE))


def removal_steps(machine: Machine, cause: str, *, is_data_kept: bool) -> Iterator[Step]:
    """Remove every instance that is no worker, the database last.

    Where the data goes too, the database needn't write it: one that is still being made ignores the signal to stop.
    """
    graces = {str(role): seconds for role, seconds in STOP_SECONDS.items()} | ({} if is_data_kept else {"database": 1})
    others = [instance for instance in machine.instances if instance.role != "worker"]
    for instance in sorted(others, key=lambda found: _ORDER.index(found.role) if found.role in _ORDER else 0):
        change = StopInstances((instance.id,), grace=graces.get(instance.role, _SHORT_GRACE))
        yield Step(instance.service or instance.name, Action.REMOVE, cause, change)
