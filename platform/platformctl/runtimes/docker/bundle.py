"""The bundle of the Docker runtime: compose.yaml, printed from the services, beside what every bundle holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from platformctl.model import labels
from platformctl.model.database import database_name
from platformctl.model.service import Limits, Mount, Service
from platformctl.model.texts import mebibytes
from platformctl.runtimes.docker.site import CODE, docker_site
from platformctl.spec.load import Project
from platformctl.stack.describe import Stack, describe_services, load_contents
from platformctl.stack.files import COMPOSE, Files, stack_files
from platformctl.stack.images.context import load_server_image, official_image
from platformctl.stack.leases import server_modules
from platformctl.templates import render_template

_PAGES = 256
"""How many pages a mebibyte has."""


def describe_docker(project: Project) -> Stack:
    """Return what runs of a project in containers; raises SpecError, OSError."""
    images, deployments = load_contents(project, lambda _: CODE)
    server_image = load_server_image(project)
    named = project.spec.server.image or official_image(project.spec)
    reference = server_image.reference if server_image else project.locked(named)
    url = project.spec.database.url
    return Stack(
        project=project,
        services=describe_services(project, docker_site(project, reference, deployments), images, deployments),
        images=images,
        server_image=server_image,
        pulled=(
            *(() if url else (project.locked(project.spec.database.image),)),
            *(() if server_image else (reference,)),
        ),
        deployments=deployments,
        database=database_name(url) if url else project.spec.database.image,
    )


def render_compose(stack: Stack) -> Files:
    """Return the files of a stack's bundle, path to content."""
    services = stack.services
    text = render_template(
        "compose/compose.yaml.j2",
        platform=stack.project.spec.platform.name,
        platform_label=labels.PLATFORM,
        shared=_shared_environment(services),
        limits=services[0].limits,
        isolation=services[0].isolation,
        services=_printed_services(stack),
        networks=sorted({found for service in services for found in service.networks}, key=lambda found: found.name),
        volumes=sorted({mount.source for service in services for mount in service.mounts if mount.kind == "volume"}),
        secrets=sorted({secret.source for service in services for secret in service.secrets}),
    )
    modules = {f"server/{name}": content for name, content in server_modules().items()}
    return {COMPOSE: text.encode(), **modules, **stack_files(stack)}


@dataclass(frozen=True, slots=True)
class _Printed:
    """A service as Compose words it. context: the folder that its image is built from. own: what it is told beside what all are."""

    value: Service
    context: str
    profile: str
    own: Mapping[str, str]
    is_told_shared: bool
    test: Sequence[str]
    volumes: Sequence[str]
    tmpfs: Sequence[str]
    labels: Mapping[str, str]


def _printed_services(stack: Stack) -> Iterator[_Printed]:
    shared = _shared_environment(stack.services)
    contexts = {image.reference: f"./images/{image.name}" for image in stack.built}
    for service in stack.services:
        is_told_shared = shared.items() <= service.environment.items()
        yield _Printed(
            value=service,
            context=contexts.get(service.image, ""),
            profile="deploy" if service.role == "deploy" else "spare" if service.is_spare else "",
            own={key: value for key, value in service.environment.items() if not is_told_shared or key not in shared},
            is_told_shared=is_told_shared,
            test=("CMD", *service.health.command) if service.health else (),
            volumes=[_volume(mount) for mount in service.mounts if mount.kind != "tmpfs"],
            tmpfs=[_tmpfs(mount, service.limits) for mount in service.mounts if mount.kind == "tmpfs"],
            labels=_labels(stack.project, service),
        )


def _shared_environment(services: Iterable[Service]) -> dict[str, str]:
    """What everything that runs Prefect is told, once for a reader."""
    prefect = [service.environment for service in services if "PREFECT_HOME" in service.environment]
    first, *others = prefect
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _labels(project: Project, service: Service) -> dict[str, str]:
    return {
        labels.PLATFORM: project.spec.platform.name,
        labels.SERVICE: service.name,
        labels.ROLE: service.role,
        **({labels.POOL: service.pool} if service.pool else {}),
        **({labels.DRAINS: "true"} if service.drains else {}),
        labels.RELEASE: service.release,
    }


def _volume(mount: Mount) -> str:
    return f"{mount.source}:{mount.target}" + (":ro" if mount.is_read_only else "")


def _tmpfs(mount: Mount, limits: Limits) -> str:
    """With a size and a number of files, of a page each: by default both follow from the machine's memory, not the container's."""
    size = (f"size={limits.temporary}", f"nr_inodes={mebibytes(limits.temporary) * _PAGES}")
    return f"{mount.target}:{','.join([*([mount.options] if mount.options else []), *size])}"
