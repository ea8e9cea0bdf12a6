"""`lock`: images are what they were when they were locked, until they are locked anew."""

from dataclasses import dataclass, replace

from platformctl.commands.workspace import Workspace
from platformctl.spec.locked import write_digests


@dataclass(frozen=True, slots=True)
class Relocked:
    """An image whose digest is another one than platform.lock says. before: empty where it says none."""

    image: str
    before: str
    after: str


def find_relocked(workspace: Workspace, *, upgrade: bool) -> tuple[Relocked, ...]:
    """Ask the registries for what isn't locked yet, or with `upgrade` for everything; raises PreflightError, UsageError."""
    locked, runtime = workspace.project.digests, workspace.runtime
    found = []
    for image in _named(workspace):
        before = locked.get(image, "")
        after = before if before and not upgrade else runtime.digest_of(image)
        found += [Relocked(image, before, after)] if after != before else []
    return tuple(found)


def write_relocked(workspace: Workspace, relocked: tuple[Relocked, ...]) -> None:
    """Write them to platform.lock. What else it holds stays: another overlay may name it."""
    project = workspace.project
    write_digests(project.root, {**project.digests, **{found.image: found.after for found in relocked}})


def _named(workspace: Workspace) -> list[str]:
    """The images from outside that the files name, but those that they name by digest."""
    stack = workspace.runtime.describe(replace(workspace.project, digests={}))
    images = {*stack.pulled, *(built.base for built in stack.built)}
    return sorted(image for image in images if "@" not in image)
