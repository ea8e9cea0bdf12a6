"""Images: pulled from a registry, or built from the bundle."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.errors import BuildError
from platformctl.model.observed import Observed
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.runtimes.runtime import BuildOptions
from platformctl.stack.images.context import WorkerImage
from platformctl.state.build_secrets import build_secrets


@dataclass(frozen=True, slots=True)
class PullImage:
    """Pull an image. image: a reference."""

    needs_client: ClassVar[bool] = False
    image: str

    def apply(self, world: World) -> None:
        """Have the runtime pull it."""
        world.runtime.pull(self.image, world.note)


@dataclass(frozen=True, slots=True)
class BuildImage:
    """Build an image of the bundle. base: the reference of what it is built on."""

    needs_client: ClassVar[bool] = False
    name: str
    reference: str
    base: str

    def apply(self, world: World) -> None:
        """Have the runtime build it; raises BuildError with the words of the step that failed."""
        options = BuildOptions(build_secrets(world.project))
        world.runtime.build(_find_image(world, self.reference), options, world.note)


def pull_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Pull what isn't there."""
    for image in wanted.stack.pulled:
        if image not in observed.machine.images:
            yield Step(f"image {image}", Action.PULL, "not pulled yet", PullImage(image))


def build_steps(images: tuple[WorkerImage, ...], observed: Observed) -> Iterator[Step]:
    """Build those of some images that aren't there."""
    for image in images:
        if image.reference not in observed.machine.images:
            change = BuildImage(image.name, image.reference, image.base)
            yield Step(f"image {image.name}", Action.BUILD, f"{image.reference} is not there yet", change)


def _find_image(world: World, reference: str) -> WorkerImage:
    for image in world.wanted.stack.built:
        if image.reference == reference:
            return image
    remedy = "Type `platformctl plan` to see the new plan."
    raise BuildError(
        f"The files in {world.project.root} changed: they no longer make the image {reference}.", remedy=remedy
    )
