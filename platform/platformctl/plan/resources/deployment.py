"""Deployments: registered by Prefect's own machinery, an image at a time, and recorded with what they were registered from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.plan.causes import unknown_cause
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class RegisterDeployments:
    """Have Prefect register the deployments whose flows are in an image. image: its name."""

    needs_client: ClassVar[bool] = False
    image: str

    def apply(self, world: World) -> None:
        """Run the bundle's one-shot for them; raises ServiceError with Prefect's words."""
        world.runtime.register(self.image, world.note)


@dataclass(frozen=True, slots=True)
class RecordDeployments:
    """Record in Prefect what deployments were registered from. digests: of all of them, by key."""

    needs_client: ClassVar[bool] = True
    digests: Mapping[str, str]

    def apply(self, world: World) -> None:
        """Replace the record."""
        world.client.set_registered(self.digests)


def deployment_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Register what prefect.yaml declares and Prefect doesn't hold as it is declared now.

    After each image the record is written, so that what is done stays done where the next one fails.
    """
    stack = wanted.stack
    recorded = dict(observed.prefect.registered) if observed.prefect else {}
    stale = [found for found in stack.deployments if recorded.get(found.key) != stack.digest(found)]
    for image in dict.fromkeys(deployment.image for deployment in stale):
        names = ", ".join(deployment.name for deployment in stale if deployment.image == image)
        cause = unknown_cause(observed) or f"new or changed: {names}"
        recorded |= {found.key: stack.digest(found) for found in stack.deployments if found.image == image}
        yield Step(f"deployments {image}", Action.REGISTER, cause, RegisterDeployments(image))
        yield Step(
            f"deployments {image}",
            Action.RECORD,
            "store what they were registered from",
            RecordDeployments(dict(recorded)),
        )
