"""What is wanted: everything that follows from a project's files, and nothing from outside them."""

from dataclasses import dataclass

from platformctl.spec.load import Project
from platformctl.stack.bundle import Bundle, Render, digest_of
from platformctl.stack.deployments import Deployment, load_deployments
from platformctl.stack.images.context import WorkerImage, load_images


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project with its images, its deployments and its bundle."""

    project: Project
    images: tuple[WorkerImage, ...]
    deployments: tuple[Deployment, ...]
    bundle: Bundle

    def digest(self, deployment: Deployment) -> str:
        """The digest of all that a deployment is registered from: what prefect.yaml says, and what registers it."""
        return digest_of([deployment.digest, self.bundle.service(f"deploy-{deployment.image}").release])


def load_wanted(project: Project, render: Render) -> Wanted:
    """Read the project's flows, requirements and prefect.yaml, and render its bundle; raises SpecError."""
    images = load_images(project)
    deployments = load_deployments(project, images)
    return Wanted(project, images, deployments, render(project, images, deployments))
