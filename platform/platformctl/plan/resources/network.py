"""Networks: made by what first joins them, removed when nothing does any more."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Machine
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class RemoveNetwork:
    """Remove a network."""

    needs_client: ClassVar[bool] = False
    name: str

    def apply(self, world: World) -> None:
        """Have the runtime remove it."""
        world.runtime.remove_network(self.name)


def network_removal_steps(machine: Machine, cause: str) -> Iterator[Step]:
    """Remove every network."""
    for name in machine.networks:
        yield Step(f"network {name}", Action.REMOVE, cause, RemoveNetwork(name))
