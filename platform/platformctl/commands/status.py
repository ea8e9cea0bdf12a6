"""`status`: what a platform is now, beside what its files want, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from platformctl.commands.move import check_name
from platformctl.commands.workspace import Workspace
from platformctl.errors import PlatformError, PreflightError, ServiceError
from platformctl.model.observed import Instance, Observed
from platformctl.plan.observe import observe
from platformctl.plan.preflight import find_lost_secrets
from platformctl.plan.resources.worker import is_online
from platformctl.plan.wanted import Wanted
from platformctl.stack.images.context import WorkerImage
from platformctl.stack.names import DATABASE, SERVER


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The server. healthy: whether it answers. version: Prefect's; empty where it isn't known. state: what it does, in words."""

    url: str
    healthy: bool
    version: str
    state: str


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """The database. name: its image, or what it is and where. state: what it does, in words."""

    healthy: bool
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool. workers_online: those that run and that Prefect has heard of. limit: concurrent flow runs.

    state: ready, degraded (with fewer workers than are wanted), no workers, paused, or unknown without a server.
    """

    name: str
    type: str
    workers_wanted: int
    workers_online: int
    paused: bool
    limit: int | None
    state: str


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """A worker image. tag: of the one that the files want. built: whether that is there. running: what its workers run."""

    name: str
    tag: str
    built: bool
    running: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunsStatus:
    """How many flow runs are in flight."""

    running: int
    pending: int
    cancelling: int


@dataclass(frozen=True, slots=True)
class Status:
    """A platform: what `status -o json` prints, field for field.

    problem: the first thing that is wrong, a sentence; empty where it does all that is wanted. remedy: what to do about it.
    """

    name: str
    runtime: str
    server: ServerStatus
    database: DatabaseStatus
    pools: tuple[PoolStatus, ...]
    images: tuple[ImageStatus, ...]
    runs: RunsStatus
    problem: str = ""
    remedy: str = ""


def read_status(workspace: Workspace) -> Status:
    """Read the status of a platform; raises PlatformError."""
    wanted, runtime = workspace.wanted, workspace.runtime
    observed = observe(wanted, runtime, workspace.api())
    server, database = _server(wanted, observed), _database(wanted, observed)
    pools = tuple(_pool(name, wanted, observed) for name in wanted.project.spec.pools)
    problem = next(_problems(workspace, observed, server, database, pools), None)
    return Status(
        name=wanted.project.spec.platform.name,
        runtime=runtime.name,
        server=server,
        database=database,
        pools=pools,
        images=tuple(_image(image, wanted, observed) for image in wanted.stack.images),
        runs=_runs(observed),
        problem=problem.message if problem else "",
        remedy=problem.remedy if problem else "",
    )


def pool_state(*, is_paused: bool, online: int, wanted: int) -> str:
    """Return what a pool that Prefect has does, in words. online, wanted: how many workers."""
    if is_paused:
        return "paused"
    if not online:
        return "no workers"
    return "ready" if online >= wanted else "degraded"


def _problems(
    workspace: Workspace,
    observed: Observed,
    server: ServerStatus,
    database: DatabaseStatus,
    pools: tuple[PoolStatus, ...],
) -> Iterator[PlatformError]:
    """What is wrong, what must be seen to first at the beginning."""
    try:
        check_name(workspace)
    except PreflightError as error:
        yield error
    if lost := find_lost_secrets(workspace.wanted, observed, workspace.runtime):
        yield lost
    up = "`platformctl up` repairs that"
    if not observed.machine.instances:
        yield ServiceError("The platform isn't running.", remedy="`platformctl up` starts it.")
    for service, state in ((SERVER, server), (DATABASE, database)):
        if not state.healthy:
            remedy = f"{up}; `platformctl logs {service}` shows what it wrote."
            yield ServiceError(f"The {service} is not healthy: {state.state}.", remedy=remedy)
    for pool in pools:
        if pool.workers_online < pool.workers_wanted:
            found = f"{pool.workers_online} of {pool.workers_wanted} workers of {pool.name!r} are online."
            yield ServiceError(found, remedy=f"{up}; `platformctl logs {pool.name}` shows what they wrote.")


def _server(wanted: Wanted, observed: Observed) -> ServerStatus:
    """One whose password is lost can't be asked: its own health check speaks for it."""
    state = _state(observed.machine.of_service(SERVER))
    url = wanted.project.server_url
    if observed.prefect:
        return ServerStatus(url, healthy=True, version=observed.prefect.version, state="healthy")
    if state != "healthy":
        return ServerStatus(url, healthy=False, version="", state=state)
    if observed.unwritten_secrets:
        return ServerStatus(url, healthy=True, version="", state="healthy, but its password is missing here")
    return ServerStatus(url, healthy=False, version="", state=f"runs, but doesn't answer at {url}")


def _database(wanted: Wanted, observed: Observed) -> DatabaseStatus:
    """One that is no service of the platform is healthy where the server says that it reaches it."""
    if not wanted.stack.owns_database:
        is_reached = observed.prefect is not None
        return DatabaseStatus(is_reached, wanted.stack.database, "healthy" if is_reached else "unknown")
    instances = observed.machine.of_service(DATABASE)
    image = instances[0].image if instances else wanted.stack.database
    return DatabaseStatus(any(instance.is_ready for instance in instances), image, _state(instances))


def _state(instances: tuple[Instance, ...]) -> str:
    if not instances:
        return "not there"
    found = instances[0]
    if found.status == "running":
        return found.health if found.health != "none" else "running"
    return f"exited with code {found.exit_code}" if found.status == "exited" else found.status


def _pool(name: str, wanted: Wanted, observed: Observed) -> PoolStatus:
    pool = wanted.project.spec.pools[name]
    there = observed.prefect.pools.get(name) if observed.prefect else None
    online = len([service for service in wanted.stack.workers(name) if is_online(service, observed)])
    is_paused = there.is_paused if there else bool(pool.paused)
    state = pool_state(is_paused=is_paused, online=online, wanted=pool.workers) if observed.prefect else "unknown"
    return PoolStatus(name, pool.type, pool.workers, online, is_paused, there.limit if there else pool.limit, state)


def _image(image: WorkerImage, wanted: Wanted, observed: Observed) -> ImageStatus:
    users = [service.name for service in wanted.stack.services if service.image == image.reference]
    workers = [found for found in observed.machine.instances if found.role == "worker" and found.service in users]
    running = sorted({found.image.rpartition(":")[2] for found in workers if found.status == "running"})
    return ImageStatus(image.name, image.tag, image.reference in observed.machine.images, tuple(running))


def _runs(observed: Observed) -> RunsStatus:
    states = [run.state_type for run in observed.prefect.runs] if observed.prefect else []
    return RunsStatus(states.count("RUNNING"), states.count("PENDING"), states.count("CANCELLING"))
