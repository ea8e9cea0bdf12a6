"""What the flows of an image are: described once after the image changed, where they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.plan.causes import unknown_cause
from platformctl.plan.resources.deployment import is_described, pairs
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class DescribeFlows:
    """Find out what the flows of an image are that deployments name. image: its name."""

    needs_client: ClassVar[bool] = False
    image: str

    def apply(self, world: World) -> None:
        """Load them where they are; raises ServiceError for one that can't be loaded."""
        world.describe_flows(self.image)


@dataclass(frozen=True, slots=True)
class RecordImages:
    """Record in Prefect from what the flows of images were described. digests: of all of them, by the image's name."""

    needs_client: ClassVar[bool] = False
    digests: Mapping[str, str]

    def apply(self, world: World) -> None:
        """Replace the record."""
        world.api.definitions.record_images(self.digests)


def flow_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Describe the flows of images that changed, and of deployments that aren't in Prefect as their flows are."""
    live = pairs(wanted.stack.deployments, observed)
    for image in dict.fromkeys(deployment.image for deployment in wanted.stack.deployments):
        own = [(found, there) for found, there in live if found.image == image]
        stale = [found.name for found, there in own if there is None or not is_described(found, there)]
        is_changed = not observed.prefect or observed.prefect.described.get(image) != wanted.stack.flows_digest(image)
        if image not in observed.flows and (stale or is_changed):
            new = f"new or changed: {', '.join(stale[:5])}{', ...' if len(stale) > 5 else ''}"  # a line
            cause = unknown_cause(observed) or (new if stale else "the image changed")
            yield Step(f"flows {image}", Action.DESCRIBE, cause, DescribeFlows(image))


def record_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Record from what the flows were described, once every deployment is as they are."""
    recorded = observed.prefect.described if observed.prefect else {}
    images = {deployment.image for deployment in wanted.stack.deployments}
    digests = {image: wanted.stack.flows_digest(image) for image in sorted(images)}
    if digests != recorded:
        names = ", ".join(image for image, digest in digests.items() if recorded.get(image) != digest)
        yield Step("flows", Action.RECORD, f"described: {names or 'none any more'}", RecordImages(digests))
