"""`prune`: remove the images of a platform that nothing runs from and that its files don't want."""

from collections.abc import Collection
from dataclasses import dataclass

from platformctl.commands.workspace import Workspace
from platformctl.model.observed import BuiltImage
from platformctl.plan.execute import execute
from platformctl.plan.report import Report
from platformctl.plan.resources.old_image import image_removal_steps, old_images
from platformctl.plan.step import Plan


@dataclass(frozen=True, slots=True)
class OldImage:
    """An image that can be removed. size: its bytes. frees: those that no other image shares."""

    reference: str
    size: int
    frees: int


def list_old_images(workspace: Workspace) -> list[OldImage]:
    """Return what `prune` would remove, those that `up` keeps for a way back among it."""
    sizes = workspace.runtime.image_sizes([image.reference for image in _find_old(workspace)])
    return [OldImage(image, size.total, size.own) for image, size in sizes.items()]


def remove_images(workspace: Workspace, images: Collection[str], report: Report) -> Plan:
    """Remove some images, by their references, if they are still old once the lock is held; return what was done."""
    with workspace.locked("platformctl prune", report) as locked:
        old = [image for image in _find_old(locked) if image.reference in images]
        steps = image_removal_steps(old, "nothing runs from it")
        plan = Plan(tuple(steps))
        execute(plan, locked.world(report), report)
    return plan


def _find_old(workspace: Workspace) -> tuple[BuiltImage, ...]:
    runtime = workspace.runtime
    return old_images(workspace.wanted, runtime.built_images(), runtime.observe([]).instances, keep=0)
