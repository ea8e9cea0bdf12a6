"""Images that were built for a platform and that it doesn't need any more. A runtime's environments are images to a plan."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from platformctl.model.observed import BuiltImage, Instance, Observed
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class RemoveImage:
    """Remove an image. image: its reference, or its id."""

    needs_client: ClassVar[bool] = False
    image: str

    def apply(self, world: World) -> None:
        """Have the runtime remove it."""
        world.runtime.remove_image(self.image)


def old_images(
    wanted: Wanted, built: Iterable[BuiltImage], instances: Iterable[Instance], *, keep: int
) -> tuple[BuiltImage, ...]:
    """Return the images that nothing runs from and that the files don't want, but for the newest ones of each name.

    instances: of the platform. keep: how many of a name stay.
    """
    needed = {image.reference for image in wanted.stack.built} | {instance.image for instance in instances}
    idle = [image for image in built if not image.users and image.reference not in needed]
    by_name = groupby(sorted(idle, key=lambda image: image.repository), key=lambda image: image.repository)
    return tuple(image for name, images in by_name for image in _behind(list(images), keep if name else 0))


def old_image_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Remove the images that are older than those that are kept."""
    keep = wanted.project.spec.build.keep_images
    old = old_images(wanted, observed.built, observed.machine.instances, keep=keep)
    yield from image_removal_steps(old, f"replaced, and older than the {keep} that stay")


def own_image_steps(observed: Observed, cause: str) -> Iterator[Step]:
    """Remove every image of the platform, but those that something of another one runs from."""
    ours = {instance.name for instance in observed.machine.instances}
    yield from image_removal_steps([image for image in observed.built if ours.issuperset(image.users)], cause)


def image_removal_steps(images: Sequence[BuiltImage], cause: str) -> Iterator[Step]:
    """Remove images."""
    for image in images:
        yield Step(f"image {image.reference}", Action.REMOVE, cause, RemoveImage(image.reference))


def _behind(images: list[BuiltImage], count: int) -> list[BuiltImage]:
    """What is older than the newest ones."""
    return sorted(images, key=lambda image: image.created, reverse=True)[count:]
