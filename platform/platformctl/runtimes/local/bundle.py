"""The bundle of the local runtime: the supervisor's configuration, and a file for each process that it keeps."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from platformctl.assets import asset_path
from platformctl.model.database import SETTING, database_name
from platformctl.model.spec import Pool
from platformctl.runtimes.local.environments import APP, environment_key, image_folder
from platformctl.spec.load import Project
from platformctl.stack.bundle import (
    HEARTBEAT,
    LAUNCH,
    SUPERVISOR,
    Bundle,
    Role,
    Service,
    digest_of,
    each_worker,
    instance_name,
    shared_files,
    worker_service,
)
from platformctl.stack.deployments import Deployment
from platformctl.stack.images.context import SERVER, WorkerImage, load_local_server_image
from platformctl.stack.warm import drains, stop_seconds, warm_environment
from platformctl.templates import render_template

SOCKET = "supervisor.sock"
_DRAINS = "drains"
_GRACE = 30
"""Seconds that the server gets to end."""


@dataclass(frozen=True, slots=True)
class Label:
    """What the supervisor's name of a process tells of it, as labels tell of a container."""

    role: Role
    pool: str | None
    image: str
    release: str
    drains: bool = False

    def __str__(self) -> str:
        image = self.image.replace("/", "+").replace(":", "@")  # a name has neither slashes nor colons
        return "|".join((self.role, self.pool or "", image, self.release, *([_DRAINS] if self.drains else [])))


def parse_label(text: str) -> Label:
    """Read a label; raises ValueError where it isn't one."""
    role, pool, image, release, *rest = text.split("|")
    name = image.replace("+", "/").replace("@", ":")
    return Label(role, pool or None, name, release, drains=_DRAINS in rest)  # type: ignore[arg-type]  # as it was written


@dataclass(frozen=True, slots=True)
class _Process:
    """A process: what its file says, and its image. awaits: an address that must answer first. grace: seconds to end.

    drains: whether it is a worker that lets its flow runs finish when it is told to stop.
    """

    service: str
    role: Role
    image: WorkerImage
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    awaits: str | None = None
    pool: str | None = None
    grace: int = _GRACE
    drains: bool = False


@dataclass(frozen=True, slots=True)
class _Program:
    service: str
    label: Label
    image: str
    grace: int


def render_local(project: Project, images: tuple[WorkerImage, ...], deployments: tuple[Deployment, ...]) -> Bundle:
    """Render the bundle of a project. A service's release is the digest of its file, its image and Prefect's constraints."""
    server = load_local_server_image(project)
    used = {deployment.image for deployment in deployments}
    by_name = {image.name: image for image in images}
    processes = [_server(project, server), *_workers(project, by_name)]
    processes += [_deploy(project, image) for image in images if image.name in used]
    contents = {process.service: _content(project, process) for process in processes}
    services = tuple(_service(project, process, contents[process.service]) for process in processes)
    files = {f"services/{name}.json": _json(content) for name, content in contents.items()}
    files[SUPERVISOR] = _configuration(project, processes, services).encode()
    files[LAUNCH] = (asset_path("images") / "local" / LAUNCH).read_bytes()
    built = (server, *images)
    return Bundle({**files, **shared_files(project, built, deployments)}, services, built, (), _database(project))


def _configuration(project: Project, processes: list[_Process], services: tuple[Service, ...]) -> str:
    kept = [pair for pair in zip(processes, services, strict=True) if pair[0].role != "deploy"]
    programs = [
        _Program(
            process.service,
            Label(process.role, process.pool, service.image, service.release, drains=process.drains),
            image_folder(service.image).as_posix(),
            process.grace,
        )
        for process, service in kept
    ]
    # An address of a socket is at most 108 bytes, and a folder's path may be longer: through /proc it is always short.
    socket = f"/proc/self/cwd/{SOCKET}" if sys.platform == "linux" else SOCKET
    return render_template(
        "local/supervisord.conf.j2", platform=project.spec.platform.name, socket=socket, programs=programs
    )


def _service(project: Project, process: _Process, content: Mapping[str, object]) -> Service:
    key = environment_key(project.spec.platform.prefect)
    release = digest_of([content, process.image.reference, process.grace, key])
    name = instance_name(project, process.service)
    return Service(
        process.service, name, process.role, process.image.reference, release, process.pool, drains=process.drains
    )


def _content(project: Project, process: _Process) -> dict[str, object]:
    folder = project.local / image_folder(process.image.reference) / APP
    return {
        "arguments": list(process.arguments),
        "directory": str(folder),
        "environment": dict(process.environment),
        "await": process.awaits,
    }


def _json(content: Mapping[str, object]) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()


def _common(project: Project, profile: str) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(project.local / "home"),
        "PREFECT_PROFILES_PATH": str(project.secrets / profile),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_UI_URL": project.server_url,
        "PYTHONUNBUFFERED": "1",
    }


def _server(project: Project, image: WorkerImage) -> _Process:
    spec = project.spec.server
    environment = {
        **_common(project, "server.toml"),
        "PREFECT_SERVER_API_HOST": spec.host,
        "PREFECT_SERVER_API_PORT": str(spec.port),
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(project.local / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": f"P{spec.keep_runs}D",
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{spec.keep_events}D",
    }
    if not project.spec.database.url:
        environment[SETTING] = (
            f"sqlite+aiosqlite:///{project.sqlite}"  # of another one the server's profile holds the URL
        )
    return _Process(SERVER, "server", image, ("server", "start"), environment)


def _workers(project: Project, images: Mapping[str, WorkerImage]) -> Iterator[_Process]:
    for name, pool, number in each_worker(project):
        yield _worker(project, name, pool, images[project.image_of(pool)], number)


def _worker(project: Project, name: str, pool: Pool, image: WorkerImage, number: int) -> _Process:
    service = worker_service(name, number)
    told = {
        "PREFECT_API_URL": f"{project.server_url}/api",
        "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(project.data / "results"),
    }
    environment = {**_common(project, "client.toml"), **told, **warm_environment(pool), **pool.environment}
    instance = instance_name(project, service)
    arguments = (
        "worker",
        "start",
        "--pool",
        name,
        "--type",
        pool.type,
        "--name",
        instance,
        "--install-policy",
        "never",
        *(("--limit", str(pool.concurrency)) if pool.concurrency else ()),
    )
    ready = f"{project.server_url}/api/ready"
    return _Process(
        service, "worker", image, arguments, environment, ready, name, stop_seconds(pool), drains=drains(pool)
    )


def _deploy(project: Project, image: WorkerImage) -> _Process:
    environment = {**_common(project, "client.toml"), "PREFECT_API_URL": f"{project.server_url}/api"}
    file = str(project.bundle / "deployments" / f"{image.name}.yaml")
    arguments = ("--no-prompt", "deploy", "--all", "--prefect-file", file)
    return _Process(f"deploy-{image.name}", "deploy", image, arguments, environment)


def _database(project: Project) -> str:
    if url := project.spec.database.url:
        return database_name(url)
    return f"SQLite, {project.sqlite.relative_to(project.root)}"
