"""The automation that platformctl had once, which crashed flow runs without heartbeats: suspended and finished ones among them.

Workers judge lost flow runs now, by the runs' states and by their processes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class RemoveAutomation:
    """Delete an automation. automation: its id."""

    needs_client: ClassVar[bool] = False
    automation: str

    def apply(self, world: World) -> None:
        """Delete it in Prefect."""
        world.api.delete_automation(self.automation)


def automation_steps(observed: Observed) -> Iterator[Step]:
    """Remove the automation from platforms that have it."""
    for found in observed.prefect.zombie_automations if observed.prefect else ():
        cause = "it crashed flow runs that were suspended or had ended; workers judge lost runs now"
        yield Step("automation zombies", Action.REMOVE, cause, RemoveAutomation(found))
