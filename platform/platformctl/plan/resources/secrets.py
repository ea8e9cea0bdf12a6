"""The platform's secrets: made once, random."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World
from platformctl.state.secrets import write_secrets


@dataclass(frozen=True, slots=True)
class WriteSecrets:
    """Make the secrets that are missing."""

    needs_client: ClassVar[bool] = False

    def apply(self, world: World) -> None:
        """Write their files."""
        write_secrets(world.project)


def secret_steps(observed: Observed) -> Iterator[Step]:
    """Make what is missing."""
    if observed.unwritten_secrets:
        cause = f"missing or changed: {', '.join(observed.unwritten_secrets)}"
        yield Step("secrets", Action.CREATE, cause, WriteSecrets())
