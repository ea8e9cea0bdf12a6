"""The bundle: compose.yaml, a build context for each image, and what they mount. Rendering is a pure function of the spec."""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from platformctl.assets import asset_path
from platformctl.deployments import Deployment, deployment_files
from platformctl.files import replace_file
from platformctl.images import SERVER, WorkerImage, load_server_image, server_reference
from platformctl.plan.observed import LABEL
from platformctl.spec.load import Project, in_url
from platformctl.spec.model import Pool
from platformctl.templates import render_template

Role = Literal["database", "migrate", "server", "worker", "deploy"]
HEARTBEAT = 30
"""Seconds between two heartbeats of a flow run; the zombie automation waits for several."""
_COMPOSE, _SCHEMA = "compose.yaml", "platform.schema.json"


_WORKER_ENVIRONMENT = {
    "PREFECT_API_URL": "http://server:4200/api",
    "PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1",
    "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
    "PREFECT_WORKER_QUERY_SECONDS": "5",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
    "PREFECT_RESULTS_LOCAL_STORAGE_PATH": "/var/lib/prefect/results",
}
"""What a worker is told, where the pool's own environment doesn't say otherwise."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the bundle. instance: the name of what runs it, and of its worker in Prefect.

    release: digest of all that it is made from; an instance of another one is replaced."""

    name: str
    instance: str
    role: Role
    image: str
    release: str
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The rendered files, path to content, and the services that they make."""

    files: Mapping[str, bytes]
    services: tuple[Service, ...]

    def service(self, name: str) -> Service:
        """Return the service of a name; raises KeyError where there is none."""
        return {service.name: service for service in self.services}[name]

    def workers(self, pool: str) -> tuple[Service, ...]:
        """Return the worker services of a pool."""
        return tuple(service for service in self.services if service.role == "worker" and service.pool == pool)


@dataclass(frozen=True, slots=True)
class _Worker:
    service: str
    container: str
    pool: str
    image: WorkerImage
    type: str
    memory: str
    grace: int
    environment: tuple[tuple[str, str], ...]


def render_bundle(project: Project, images: tuple[WorkerImage, ...], deployments: tuple[Deployment, ...]) -> Bundle:
    """Render the bundle of a project. A service's release is the digest of its own part of compose.yaml."""
    compose = functools.partial(_render_compose, project, images, deployments)
    services = _parse_services(compose(releases=_NoReleases()))
    releases = {name: _digest(content) for name, content in services.items()}
    text = compose(releases=releases)
    schema = asset_path("templates") / _SCHEMA
    files = {_COMPOSE: text.encode(), _SCHEMA: schema.read_bytes()}
    server = load_server_image(project)
    for image in (*([server] if server else []), *images):
        files |= {f"images/{image.name}/{path}": content for path, content in image.files.items()}
    for name, content in deployment_files(project, deployments).items():
        files[f"deployments/{name}.yaml"] = content
    return Bundle(files, tuple(_service(name, content, releases[name]) for name, content in services.items()))


def changed_files(bundle: Bundle, folder: Path) -> tuple[str, ...]:
    """Return the paths that a write would make, change or remove, sorted."""
    changed = {path for path, content in bundle.files.items() if not _holds(folder / path, content)}
    return tuple(sorted(changed | set(_stale_files(bundle, folder))))


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Bring a folder to what the bundle holds: only changed files are written, and build contexts hold nothing else."""
    for path, content in bundle.files.items():
        if not _holds(folder / path, content):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            replace_file(folder / path, content)
    for path in _stale_files(bundle, folder):
        (folder / path).unlink()


class _NoReleases(dict[str, str]):
    """The first rendering, whose parts are digested, knows no release yet."""

    def __missing__(self, key: str) -> str:
        return ""


def _render_compose(
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
    for name, pool in project.spec.pools.items():
        image = images[project.image_of(pool)]
        for number in range(1, pool.workers + 1):
            yield _worker(project.spec.platform.name, name, pool, image, number)


def _worker(platform: str, name: str, pool: Pool, image: WorkerImage, number: int) -> _Worker:
    service = f"worker-{name}-{number}"
    environment = tuple((_WORKER_ENVIRONMENT | pool.environment).items())
    return _Worker(service, f"{platform}-{service}", name, image, pool.type, pool.memory, pool.grace, environment)


def _http_check(port: int, path: str) -> str:
    return (
        f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {port}, timeout=4); "
        f"c.request('GET', '{path}'); raise SystemExit(c.getresponse().status != 200)"
    )


def _parse_services(text: str) -> dict[str, dict[str, object]]:
    services = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["services"]  # noqa: S506  # a safe one
    return {str(name): content for name, content in services.items()}


def _digest(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _service(name: str, content: Mapping[str, object], release: str) -> Service:
    labels = content["labels"]
    if not isinstance(labels, dict):
        raise TypeError(f"the template gives {name} no mapping of labels")
    instance = str(content.get("container_name", name))
    return Service(name, instance, labels[f"{LABEL}.role"], str(content["image"]), release, labels.get(f"{LABEL}.pool"))


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() == content


def _stale_files(bundle: Bundle, folder: Path) -> list[str]:
    """Files below images/ and deployments/ that the bundle doesn't hold; other files of the folder are the user's."""
    found = [path for part in ("images", "deployments") for path in (folder / part).rglob("*") if path.is_file()]
    relative = [path.relative_to(folder).as_posix() for path in found]
    return [path for path in relative if path not in bundle.files]
