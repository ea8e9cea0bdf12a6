"""`status`: what a platform is now, beside what its files want."""

from dataclasses import dataclass

from platformctl.commands.workspace import Workspace
from platformctl.model.observed import Observed
from platformctl.plan.observe import observe
from platformctl.plan.resources.worker import is_online
from platformctl.plan.wanted import Wanted


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The server. version: Prefect's; empty where it doesn't answer."""

    url: str
    healthy: bool
    version: str


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """The database. name: its image, or what it is and where."""

    healthy: bool
    name: str


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool. workers_online: those that run and that Prefect has heard of. limit: concurrent flow runs."""

    name: str
    type: str
    workers_wanted: int
    workers_online: int
    paused: bool
    limit: int | None


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """A worker image. built: whether it is there."""

    name: str
    tag: str
    built: bool


@dataclass(frozen=True, slots=True)
class RunsStatus:
    """How many flow runs are in flight."""

    running: int
    pending: int
    cancelling: int


@dataclass(frozen=True, slots=True)
class Status:
    """A platform: what `status -o json` prints, field for field."""

    name: str
    runtime: str
    server: ServerStatus
    database: DatabaseStatus
    pools: tuple[PoolStatus, ...]
    images: tuple[ImageStatus, ...]
    runs: RunsStatus

    @property
    def is_running(self) -> bool:
        """Whether the server answers."""
        return self.server.healthy


def read_status(workspace: Workspace) -> Status:
    """Read the status of a platform; raises PlatformError."""
    wanted, runtime = workspace.wanted, workspace.runtime
    observed = observe(wanted, runtime, workspace.api())
    spec = wanted.project.spec
    version = observed.prefect.version if observed.prefect else ""
    return Status(
        name=spec.platform.name,
        runtime=runtime.name,
        server=ServerStatus(wanted.project.server_url, healthy=observed.prefect is not None, version=version),
        database=_database(wanted, observed),
        pools=tuple(_pool(name, wanted, observed) for name in spec.pools),
        images=tuple(
            ImageStatus(image.name, image.tag, built=image.reference in observed.machine.images)
            for image in wanted.stack.images
        ),
        runs=_runs(observed),
    )


def _database(wanted: Wanted, observed: Observed) -> DatabaseStatus:
    """One that is no service of the platform is healthy where the server says that it reaches it."""
    if not wanted.stack.owns_database:
        return DatabaseStatus(observed.prefect is not None, wanted.stack.database)
    instances = observed.machine.of_service("database")
    image = instances[0].image if instances else wanted.stack.database
    return DatabaseStatus(any(instance.is_ready for instance in instances), image)


def _pool(name: str, wanted: Wanted, observed: Observed) -> PoolStatus:
    pool = wanted.project.spec.pools[name]
    there = observed.prefect.pools.get(name) if observed.prefect else None
    online = [service for service in wanted.stack.workers(name) if is_online(service, observed)]
    is_paused = there.is_paused if there else bool(pool.paused)
    return PoolStatus(name, pool.type, pool.workers, len(online), is_paused, there.limit if there else pool.limit)


def _runs(observed: Observed) -> RunsStatus:
    states = [run.state_type for run in observed.prefect.runs] if observed.prefect else []
    return RunsStatus(states.count("RUNNING"), states.count("PENDING"), states.count("CANCELLING"))
