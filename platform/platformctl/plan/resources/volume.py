"""Volumes: what holds the data. They are made by what first uses them, and removed only when that is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Machine
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class RemoveVolume:
    """Remove a volume and all that is in it."""

    needs_client: ClassVar[bool] = False
    name: str

    def apply(self, world: World) -> None:
        """Have the runtime remove it."""
        world.runtime.remove_volume(self.name)


def volume_removal_steps(machine: Machine) -> Iterator[Step]:
    """Remove every volume."""
    for name in machine.volumes:
        yield Step(f"volume {name}", Action.REMOVE, "down --volumes", RemoveVolume(name))
