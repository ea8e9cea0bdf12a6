"""What is wanted: everything that follows from a project's files, and nothing from outside them."""

from dataclasses import dataclass

from platformctl.deployments import Deployment, load_deployments
from platformctl.images import WorkerImage, load_images
from platformctl.render import Bundle, render_bundle
from platformctl.spec.load import Project


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project with its images, deployments and bundle."""

    project: Project
    images: tuple[WorkerImage, ...]
    deployments: tuple[Deployment, ...]
    bundle: Bundle

    def image(self, name: str) -> WorkerImage:
        """Return the image of a name in the spec."""
        return {image.name: image for image in self.images}[name]


def load_wanted(project: Project) -> Wanted:
    """Read the project's flows, requirements and prefect.yaml, and render its bundle; raises SpecError."""
    images = load_images(project)
    deployments = load_deployments(project, images)
    return Wanted(project, images, deployments, render_bundle(project, images, deployments))
