"""`build-image`: build worker images, or find that their inputs haven't changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from platformctl.commands.workspace import Workspace
from platformctl.errors import UsageError
from platformctl.plan.report import Progress, Report
from platformctl.runtimes.runtime import BuildOptions
from platformctl.spec.load import Project
from platformctl.spec.problems import unknown_name
from platformctl.stack.images.context import WorkerImage


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that is there now. was_built: False where its inputs hadn't changed."""

    name: str
    reference: str
    was_built: bool


def build_images(  # noqa: PLR0913  # what `build-image` lets its user choose
    workspace: Workspace,
    names: Sequence[str],
    report: Report,
    *,
    use_cache: bool = True,
    push: bool = False,
    platforms: Sequence[str] = (),
) -> list[BuiltImage]:
    """Build images of the spec, all of them where none is named. What runs is left alone.

    Raises UsageError for an image that isn't there, and BuildError with the failed step's words.
    """
    project, images = workspace.project, workspace.wanted.stack.images
    chosen = [_choose(project, images, name) for name in names] or list(images)
    if push and not all(_has_repository(project, image) for image in chosen):
        remedy = f'Set repository = "REGISTRY/NAME" under [images.NAME] in {project.file}.'
        raise UsageError("An image without a repository can't be pushed.", remedy=remedy)
    present = workspace.runtime.observe([image.reference for image in chosen]).images
    is_forced = not use_cache or push or bool(platforms)
    stale = [image for image in chosen if is_forced or image.reference not in present]
    names = [image.name for image in stale]
    built = _build(workspace, names, report, use_cache=use_cache, push=push, platforms=platforms) if stale else {}
    return [
        BuiltImage(image.name, built.get(image.name, image).reference, was_built=image.name in built)
        for image in chosen
    ]


def _build(  # noqa: PLR0913  # as above
    workspace: Workspace,
    names: Sequence[str],
    report: Report,
    *,
    use_cache: bool,
    push: bool,
    platforms: Sequence[str],
) -> dict[str, WorkerImage]:
    """Build images as the files are once the lock is held: another command may have been waited for."""
    from platformctl.stack.files import CONTEXTS, write_files  # noqa: PLC0415  # what a build needs, most calls don't
    from platformctl.state.build_secrets import build_secrets  # noqa: PLC0415

    with workspace.locked("platformctl build-image", report) as locked:
        write_files(locked.wanted.files, locked.project.bundle, under=CONTEXTS)
        options = BuildOptions(build_secrets(locked.project), use_cache, push, tuple(platforms))
        images = {image.name: image for image in locked.wanted.stack.images if image.name in names}
        for image in images.values():
            locked.runtime.build(image, options, lambda line: report(Progress(line)))
    return images


def _choose(project: Project, images: Sequence[WorkerImage], name: str) -> WorkerImage:
    found = {image.name: image for image in images}
    if name not in found:
        remedy = f"Add [images.{name}] to {project.file}, or choose one that is there."
        raise unknown_name(f"There is no image {name!r} in {project.file.name}", name, list(found), remedy=remedy)
    return found[name]


def _has_repository(project: Project, image: WorkerImage) -> bool:
    return bool(project.spec.images[image.name].repository)
