"""What is wanted: everything that follows from a project's files, and nothing from outside them."""

from dataclasses import dataclass

from platformctl.deployments import Deployment, load_deployments
from platformctl.images import WorkerImage, load_images, load_server_image
from platformctl.render import Bundle, render_bundle
from platformctl.spec.load import Project


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project with its images, deployments and bundle. server_image: None where Prefect's own is used as it is."""

    project: Project
    images: tuple[WorkerImage, ...]
    server_image: WorkerImage | None
    deployments: tuple[Deployment, ...]
    bundle: Bundle

    @property
    def built_images(self) -> tuple[WorkerImage, ...]:
        """The images that are built here: the server's, where there is one, and the workers'."""
        return (*([self.server_image] if self.server_image else []), *self.images)

    @property
    def pulled_images(self) -> tuple[str, ...]:
        """The images that are used as they are."""
        server = self.bundle.service("server").image
        return (self.project.spec.database.image, *(() if self.server_image else (server,)))


def load_wanted(project: Project) -> Wanted:
    """Read the project's flows, requirements and prefect.yaml, and render its bundle; raises SpecError."""
    images = load_images(project)
    deployments = load_deployments(project, images)
    bundle = render_bundle(project, images, deployments)
    return Wanted(project, images, load_server_image(project), deployments, bundle)
