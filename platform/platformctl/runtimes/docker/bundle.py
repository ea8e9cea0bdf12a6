"""The bundle of the Docker runtime: compose.yaml, a build context for each image, and what they mount."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from platformctl.errors import SpecError
from platformctl.model.database import database_host, database_name
from platformctl.model.observed import LABEL
from platformctl.model.spec import Pool
from platformctl.spec.load import Project, in_url
from platformctl.stack.bundle import (
    COMPOSE,
    HEARTBEAT,
    Bundle,
    Service,
    digest_of,
    each_worker,
    instance_name,
    shared_files,
    worker_service,
)
from platformctl.stack.deployments import Deployment
from platformctl.stack.images.context import SERVER, WorkerImage, load_server_image, server_reference
from platformctl.stack.warm import drains, stop_seconds, warm_environment
from platformctl.templates import render_template

_WORKER_ENVIRONMENT = {
    "PREFECT_API_URL": "http://server:4200/api",
    "PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1",
    "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
    "PREFECT_WORKER_QUERY_SECONDS": "5",
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
    "PREFECT_RESULTS_LOCAL_STORAGE_PATH": "/var/lib/prefect/results",
}
"""What a worker is told, where the pool's own environment doesn't say otherwise."""


@dataclass(frozen=True, slots=True)
class _Worker:
    service: str
    container: str
    pool: str
    image: WorkerImage
    type: str
    memory: str
    concurrency: int | None
    drains: bool
    stop_seconds: int
    environment: tuple[tuple[str, str], ...]


def render_compose(project: Project, images: tuple[WorkerImage, ...], deployments: tuple[Deployment, ...]) -> Bundle:
    """Render the bundle of a project. A service's release is the digest of its own part of compose.yaml."""
    url = project.spec.database.url
    _check_reachable(project)
    compose = functools.partial(_render, project, images, deployments)
    services = _parse_services(compose(releases=_NoReleases()))
    releases = {name: digest_of(content) for name, content in services.items()}
    server = load_server_image(project)
    built = (*([server] if server else []), *images)
    return Bundle(
        files={COMPOSE: compose(releases=releases).encode(), **shared_files(project, built, deployments)},
        services=tuple(_service(name, content, releases[name]) for name, content in services.items()),
        built=built,
        pulled=(*(() if url else (project.spec.database.image,)), *(() if server else (server_reference(project),))),
        database=database_name(url) if url else project.spec.database.image,
    )


def _check_reachable(project: Project) -> None:
    host = database_host(project.spec.database.url)
    if host == "localhost" or host.startswith("127.") or host == "::1":
        found = f"database.url in {project.file.name} names {host}, which in a container is that container itself."
        raise SpecError(found, remedy="Name an address of that machine that other machines reach too.")


class _NoReleases(dict[str, str]):
    """The first rendering, whose parts are digested, knows no release yet."""

    def __missing__(self, key: str) -> str:
        return ""


def _render(
    project: Project,
    images: tuple[WorkerImage, ...],
    deployments: tuple[Deployment, ...],
    *,
    releases: Mapping[str, str],
) -> str:
    spec = project.spec
    used = {deployment.image for deployment in deployments}
    return render_template(
        "compose/compose.yaml.j2",
        platform=spec.platform.name,
        host=in_url(spec.server.host),
        port=spec.server.port,
        url=project.server_url,
        server_image=server_reference(project),
        server_build=f"./images/{SERVER}" if load_server_image(project) else "",
        server_memory=spec.server.memory,
        has_database=not spec.database.url,
        database_image=spec.database.image,
        database_memory=spec.database.memory,
        keep_runs=spec.server.keep_runs,
        keep_events=spec.server.keep_events,
        server_check=_http_check(4200, "/api/ready"),
        worker_check=_http_check(8080, "/health"),
        workers=list(_workers(project, {image.name: image for image in images})),
        deploying=[image for image in images if image.name in used],
        releases=releases,
    )


def _workers(project: Project, images: Mapping[str, WorkerImage]) -> Iterator[_Worker]:
    """A service for each worker, not replicas of one: its name is stable, and it can be stopped by itself."""
    for name, pool, number in each_worker(project):
        yield _worker(project, name, pool, images[project.image_of(pool)], number)


def _worker(project: Project, name: str, pool: Pool, image: WorkerImage, number: int) -> _Worker:
    service = worker_service(name, number)
    return _Worker(
        service=service,
        container=instance_name(project, service),
        pool=name,
        image=image,
        type=pool.type,
        memory=pool.memory,
        concurrency=pool.concurrency,
        drains=drains(pool),
        stop_seconds=stop_seconds(pool),
        environment=tuple((_WORKER_ENVIRONMENT | warm_environment(pool) | pool.environment).items()),
    )


def _http_check(port: int, path: str) -> str:
    return (
        f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {port}, timeout=4); "
        f"c.request('GET', '{path}'); raise SystemExit(c.getresponse().status != 200)"
    )


def _parse_services(text: str) -> dict[str, dict[str, object]]:
    services = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["services"]  # noqa: S506  # a safe one
    return {str(name): content for name, content in services.items()}


def _service(name: str, content: Mapping[str, object], release: str) -> Service:
    labels = content["labels"]
    if not isinstance(labels, dict):
        raise TypeError(f"the template gives {name} no mapping of labels")
    container = str(content.get("container_name", name))
    role, pool = labels[f"{LABEL}.role"], labels.get(f"{LABEL}.pool")
    return Service(name, container, role, str(content["image"]), release, pool, drains=f"{LABEL}.drains" in labels)
