"""From a project to everything that runs of it, as values: a pure function. What a runtime prints says nothing more."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from platformctl.model.digest import digest_of
from platformctl.model.service import Service
from platformctl.spec.load import Project
from platformctl.stack.deploy import deploy_service
from platformctl.stack.deployments import Deployment, Folder, load_deployments
from platformctl.stack.images.context import WorkerImage, load_images
from platformctl.stack.server import database_service, migrate_service, server_service
from platformctl.stack.site import Site
from platformctl.stack.worker import worker_services


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs of a project, and what that needs.

    services: in the order in which they start. server_image: what is built for the server, where something is. pulled: references.
    database: its name for people.
    """

    project: Project
    services: tuple[Service, ...]
    images: tuple[WorkerImage, ...]
    server_image: WorkerImage | None
    pulled: tuple[str, ...]
    deployments: tuple[Deployment, ...]
    database: str

    @property
    def built(self) -> tuple[WorkerImage, ...]:
        """The images that are built, the server's first."""
        return (*([self.server_image] if self.server_image else []), *self.images)

    def service(self, name: str) -> Service:
        """Return the service of a name; raises KeyError where there is none."""
        return {service.name: service for service in self.services}[name]

    def workers(self, pool: str) -> tuple[Service, ...]:
        """Return the workers of a pool, without the spare."""
        return tuple(found for found in self.services if found.pool == pool and not found.is_spare)

    def spare(self, pool: str) -> Service | None:
        """Return the worker that serves a pool while its one worker is replaced; None where the others of the pool do."""
        return next((found for found in self.services if found.pool == pool and found.is_spare), None)

    def flows_digest(self, image: str) -> str:
        """Return the digest of what the flows of an image follow from: the image, and the environments of its pools."""
        reference = {found.name: found.reference for found in self.images}[image]
        return digest_of([reference, [dict(pool.environment) for pool in self.project.pools_of(image)]])

    @property
    def references(self) -> frozenset[str]:
        """The variables and blocks of Prefect that deployments refer to."""
        return frozenset(name for deployment in self.deployments for name in deployment.references)

    @property
    def owns_database(self) -> bool:
        """Whether a database server is a service of the platform."""
        return any(service.role == "database" for service in self.services)


def load_contents(project: Project, folder: Folder) -> tuple[tuple[WorkerImage, ...], tuple[Deployment, ...]]:
    """Read what the project's files say beside platform.toml: images and deployments. Raises SpecError, OSError.

    folder: where workers find the flows of an image.
    """
    return load_images(project), load_deployments(project, folder)


def describe_services(
    project: Project, site: Site, images: Sequence[WorkerImage], deployments: Sequence[Deployment]
) -> tuple[Service, ...]:
    """Return the services of a project on a site, in the order in which they start, each with its release."""
    found = (*_server_services(project, site), *_image_services(project, site, images, deployments))
    return tuple(replace(service, release=_release(service, site)) for service in found)


def _server_services(project: Project, site: Site) -> Iterator[Service]:
    if site.server.owns_database:
        yield database_service(project)
    if site.server.migrates:
        yield migrate_service(project, site)
    yield server_service(project, site)


def _image_services(
    project: Project, site: Site, images: Sequence[WorkerImage], deployments: Sequence[Deployment]
) -> Iterator[Service]:
    references = {image.name: image.reference for image in images}
    for name, pool in project.spec.pools.items():
        yield from worker_services(project, site, references[project.image_of(pool)], name)
    used = {deployment.image for deployment in deployments}
    yield from (deploy_service(project, site, image) for image in images if image.name in used)


def _release(service: Service, site: Site) -> str:
    """Whether a worker is a spare is not what it is made from: it becomes one of two when its pool grows."""
    return digest_of([asdict(replace(service, is_spare=False, release="")), site.revision])


Deployments = Sequence[Deployment]
