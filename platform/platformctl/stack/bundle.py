"""What every bundle is, whatever it is rendered for: files, the services that they make, and the images that those need."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformctl.assets import asset_path
from platformctl.files import replace_file
from platformctl.model.spec import Pool
from platformctl.spec.load import Project
from platformctl.stack.deployments import Deployment, deployment_files
from platformctl.stack.images.context import WorkerImage

Role = Literal["database", "migrate", "server", "worker", "deploy"]
HEARTBEAT = 30
"""Seconds between two heartbeats of a flow run; the zombie automation waits for several."""
COMPOSE, SUPERVISOR, LAUNCH = "compose.yaml", "supervisord.conf", "launch.py"
SCHEMA = "platform.schema.json"
_OWN = ("images", "deployments", "services")
"""Folders of a bundle that hold nothing but what is rendered."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the bundle. instance: the name of what runs it, and of its worker in Prefect.

    release: digest of all that it is made from; an instance of another one is replaced. drains: whether it is a worker
    that lets its flow runs finish when it is told to stop.
    """

    name: str
    instance: str
    role: Role
    image: str
    release: str
    pool: str | None = None
    drains: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """The rendered files, path to content, and what they make.

    services: in the order in which they are started. built, pulled: the images that they need. database: its name for people.
    """

    files: Mapping[str, bytes]
    services: tuple[Service, ...]
    built: tuple[WorkerImage, ...]
    pulled: tuple[str, ...]
    database: str

    def service(self, name: str) -> Service:
        """Return the service of a name; raises KeyError where there is none."""
        return {service.name: service for service in self.services}[name]

    def workers(self, pool: str) -> tuple[Service, ...]:
        """Return the worker services of a pool."""
        return tuple(service for service in self.services if service.role == "worker" and service.pool == pool)

    @property
    def has_database(self) -> bool:
        """Whether a database server is a service of the bundle."""
        return any(service.role == "database" for service in self.services)


Render = Callable[[Project, tuple[WorkerImage, ...], tuple[Deployment, ...]], Bundle]
"""A pure function that renders the bundle of a project."""


def worker_service(pool: str, number: int) -> str:
    """Return the name of a pool's worker; numbers begin at 1. Prefect keeps a row for each name that a worker ever had."""
    return f"worker-{pool}-{number}"


def each_worker(project: Project) -> Iterator[tuple[str, Pool, int]]:
    """Yield the name, the pool and the number of every worker that a project wants."""
    for name, pool in project.spec.pools.items():
        for number in range(1, pool.workers + 1):
            yield name, pool, number


def instance_name(project: Project, service: str) -> str:
    """Return the name of what runs a service."""
    return f"{project.spec.platform.name}-{service}"


def shared_files(
    project: Project, built: tuple[WorkerImage, ...], deployments: tuple[Deployment, ...]
) -> dict[str, bytes]:
    """Return the files of any bundle, path to content: the schema, what images are built from, and deployments by image."""
    files = {SCHEMA: (asset_path("templates") / SCHEMA).read_bytes()}
    for image in built:
        files |= {f"images/{image.name}/{path}": content for path, content in image.files.items()}
    for name, content in deployment_files(project, deployments).items():
        files[f"deployments/{name}.yaml"] = content
    return files


def digest_of(content: object) -> str:
    """Return the digest of something that JSON can hold: 12 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def changed_files(bundle: Bundle, folder: Path) -> tuple[str, ...]:
    """Return the paths that a write would make, change or remove, sorted."""
    changed = {path for path, content in bundle.files.items() if not _holds(folder / path, content)}
    return tuple(sorted(changed | set(_stale_files(bundle, folder))))


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Bring a folder to what the bundle holds: only changed files are written, and its own folders hold nothing else."""
    for path, content in bundle.files.items():
        if not _holds(folder / path, content):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            replace_file(folder / path, content)
    for path in _stale_files(bundle, folder):
        (folder / path).unlink()


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() == content


def _stale_files(bundle: Bundle, folder: Path) -> list[str]:
    """What the bundle's own folders hold beside it, and another runtime's file; other files of the folder are the user's."""
    found = [path for part in _OWN for path in (folder / part).rglob("*") if path.is_file()]
    found += [folder / name for name in (COMPOSE, SUPERVISOR, LAUNCH) if (folder / name).is_file()]
    relative = [path.relative_to(folder).as_posix() for path in found]
    return [path for path in relative if path not in bundle.files]
