"""A database, a Prefect server and workers in containers, set up as the platform's bundle does, in a network of their own."""

import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import docker
from docker.models.containers import Container
from docker.models.networks import Network

from measure import call
from workers_api import Api

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "images" / "prefect-warm-worker"
PREFECT = "3.9.1"
SERVER = f"prefecthq/prefect:{PREFECT}-python3.13"
DATABASE = "postgres:18"
KINDS = ("process", "warm")
_COMMON = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
_SERVER = {
    "PREFECT_SERVER_DATABASE_DRIVER": "postgresql+asyncpg",
    "PREFECT_SERVER_DATABASE_HOST": "database",
    "PREFECT_SERVER_DATABASE_PORT": "5432",
    "PREFECT_SERVER_DATABASE_USER": "prefect",
    "PREFECT_SERVER_DATABASE_NAME": "prefect",
    "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "15",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "0",
    "PREFECT_SERVER_API_HOST": "0.0.0.0",  # noqa: S104  # in its container
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P30D",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
}
"""What templates/compose/compose.yaml.j2 gives to a server."""
_STATEMENTS = ["-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track=all"]


def build_image() -> str:
    """Build the image of the workers from what is in this clone, and return its id."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copytree(HERE / "workers_image", context, dirs_exist_ok=True)
        shutil.copytree(PACKAGE, context / "package", ignore=shutil.ignore_patterns("__pycache__", "tests"))
        return call(["docker", "build", "--quiet", "--build-arg", f"PREFECT={PREFECT}", folder]).strip()


@dataclass
class WorkersStack:
    """One server and its workers. Use it as a context manager: nothing of it is left, whatever ends it.

    image: of the workers. settings: environment variables beside the usual ones, for server and workers.
    """

    image: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> "WorkersStack":
        """Start the database and the server, and wait until it is ready."""
        self._engine = docker.from_env()
        self._left = ExitStack()
        try:
            self._start()
        except BaseException:
            self._left.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Remove everything."""
        self._left.close()

    def _start(self) -> None:
        for image in (SERVER, DATABASE):
            self._pull(image)
        self._password = secrets.token_hex(8)
        self._network: Network = self._engine.networks.create(f"bench-workers-{secrets.token_hex(4)}")
        self._left.callback(self._network.remove)
        self.database = self._start_database()
        self._migrate()
        port = free_port()  # one that stays when the server is started anew
        words, ports = ["prefect", "server", "start"], {"4200/tcp": ("127.0.0.1", port)}
        self.server = self._run(SERVER, words, self._server_environment(), alias="server", ports=ports)
        self.api = Api(f"http://127.0.0.1:{port}/api", ("admin", self._password))
        wait_until(self.api.is_ready, "the server is ready")

    def _pull(self, image: str) -> None:
        """Pull an image unless the engine has it: creating a container doesn't."""
        try:
            self._engine.images.get(image)
        except docker.errors.ImageNotFound:
            self._engine.images.pull(image)

    def _start_database(self) -> Container:
        environment = {
            "POSTGRES_USER": "prefect",
            "POSTGRES_DB": "prefect",
            "POSTGRES_PASSWORD": self._password,
            "POSTGRES_INITDB_ARGS": "--data-checksums",
        }
        container = self._run(DATABASE, _STATEMENTS, environment, alias="database", shm_size="128m")
        ready = ["pg_isready", "--quiet", "--host", "127.0.0.1", "--username", "prefect"]
        wait_until(lambda: container.exec_run(ready).exit_code == 0, "the database is ready")
        return container

    def _migrate(self) -> None:
        words = ["prefect", "server", "database", "upgrade", "--yes"]
        container = self._run(SERVER, words, self._server_environment())
        if code := container.wait()["StatusCode"]:
            raise RuntimeError(f"the migration exited {code}: {container.logs(tail=20).decode()}")

    def _server_environment(self) -> dict[str, str]:
        password = {
            "PREFECT_SERVER_DATABASE_PASSWORD": self._password,
            "PREFECT_SERVER_API_AUTH_STRING": f"admin:{self._password}",
        }
        return {**_COMMON, **_SERVER, **password, **self.settings}

    def start_worker(self, kind: str, *, limit: int = 8, settings: Mapping[str, str] | None = None) -> "Worker":
        """Start a worker, and wait until the server calls it online. kind: its type, and the name of its pool.

        settings: environment variables beside the stack's.
        """
        name = f"{kind}-{secrets.token_hex(4)}"
        words = ["prefect", "worker", "start", "--pool", kind, "--type", kind, "--name", name, "--limit", str(limit)]
        environment = {
            **_COMMON,
            "PREFECT_API_URL": "http://server:4200/api",
            "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
            "PREFECT_API_AUTH_STRING": f"admin:{self._password}",
            **self.settings,
            **(settings or {}),
        }
        container = self._run(self.image, [*words, "--install-policy", "never"], environment)
        wait_until(lambda: name in self.api.read_online_workers(kind), f"the worker {name} is online")
        return Worker(name, container)

    def _run(
        self,
        image: str,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        alias: str = "",
        **options: Any,  # noqa: ANN401  # docker-py's own
    ) -> Container:
        """Start a container that is removed at the end. alias: its name for the others."""
        endpoint = (
            self._engine.api.create_endpoint_config(aliases=[alias])
            if alias
            else self._engine.api.create_endpoint_config()
        )
        container: Container = self._engine.containers.create(
            image,
            list(words),
            environment=dict(environment),
            network=self._network.name,
            networking_config={self._network.name or "": endpoint},
            **options,
        )
        self._left.callback(_remove, container)
        container.start()
        return container


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker and its container."""

    name: str
    container: Container

    def remove(self) -> None:
        """Remove it, and whatever it runs."""
        _remove(self.container)


def read_cpu(*containers: Container) -> float:
    """Return the CPU-seconds that containers have used since they were started."""
    used = 0
    for container in containers:
        found = cast("dict[str, Any]", container.stats(stream=False, one_shot=True))
        used += found["cpu_stats"]["cpu_usage"]["total_usage"]
    return used / 1e9


def read_memory(container: Container) -> float:
    """Return the megabytes (10^6) of all of a container's processes: their proportional set sizes."""
    read = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '$1 == \"Pss:\" { sum += $2 } END { print sum }'"
    found = container.exec_run(["sh", "-c", read], user="root", privileged=True)
    return int(cast("bytes", found.output)) * 1024 / 1e6


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(
    is_so: Callable[[], bool], what: str, seconds: float = 300.0, pause: float = 0.2, *, fails: bool = True
) -> None:
    """Wait for a condition; raises TimeoutError, naming it, unless that is no failure."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end and not fails:
            return
        if time.monotonic() > end:
            raise TimeoutError(f"not after {seconds:.0f} s: {what}")
        time.sleep(pause)


def _remove(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        return
