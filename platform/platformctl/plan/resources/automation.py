"""The automation that has the server crash flow runs whose process is gone, also when nobody types `up`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.plan.causes import unknown_cause
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World
from prefect_warm_worker.contract import HEARTBEAT_SECONDS

ZOMBIE_WITHIN = 4.0 * HEARTBEAT_SECONDS
"""Seconds without a heartbeat after which a flow run is crashed: with fewer than three, healthy runs are crashed too."""


@dataclass(frozen=True, slots=True)
class SetZombieAutomation:
    """Have the server crash flow runs that stopped sending heartbeats. within: seconds."""

    needs_client: ClassVar[bool] = True
    within: float

    def apply(self, world: World) -> None:
        """Have Prefect's client set it."""
        world.client.set_zombie_automation(self.within)


def automation_steps(observed: Observed) -> Iterator[Step]:
    """Set the automation where Prefect has none, or another one."""
    within = observed.prefect.zombie_within if observed.prefect else None
    if within != ZOMBIE_WITHIN:
        cause = unknown_cause(observed) or f"crashes flow runs without a heartbeat for {ZOMBIE_WITHIN:.0f} s"
        yield Step("automation zombies", Action.CREATE, cause, SetZombieAutomation(ZOMBIE_WITHIN))
