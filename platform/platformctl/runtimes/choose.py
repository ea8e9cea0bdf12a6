"""The one place that chooses what a platform runs on."""

from typing import TYPE_CHECKING

from platformctl.errors import EngineError
from platformctl.model.spec import RuntimeName
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project
from platformctl.stack.files import COMPOSE, SUPERVISOR

if TYPE_CHECKING:
    from platformctl.runtimes.docker.runtime import DockerRuntime

_PATIENCE = 3
"""Seconds within which an engine answers that may have to be left."""
_FALLBACK = "No Docker engine answers: the platform runs as local processes, with {database}."


def choose_runtime(project: Project, name: RuntimeName | None = None) -> Runtime:
    """Return the runtime of a project. name: another one than platform.toml asks for.

    Raises EngineError where `auto` finds no engine for a platform that has run on one.
    """
    match name or project.spec.platform.runtime:
        case "docker":
            return _docker(project)
        case "local":
            return _local(project)
        case "auto":
            return _choose(project)


def former_runtime(project: Project, runtime: Runtime) -> Runtime | None:
    """Return the runtime that the platform is to leave, because instances of it are there; None where there is none."""
    former = _former_docker(project) if runtime.name == "local" else _former_local(project)
    return former if former and former.observe([]).instances else None


def former_name(project: Project, runtime: Runtime) -> str | None:
    """Return the name under which the folder's platform runs on an engine, where platform.toml calls it otherwise by now."""
    docker = runtime if runtime.name == "docker" else _former_docker(project)
    names = docker.names() if docker else ()
    return None if project.spec.platform.name in names else next(iter(names), None)


def _former_local(project: Project) -> Runtime | None:
    return _local(project) if project.local.exists() else None


def _has_port_on_docker(project: Project) -> bool:
    """Whether the server of a platform that is to leave an engine has its port: it goes before the new one comes."""
    former = _former_docker(project)
    return former is not None and former.has_port()


def _former_docker(project: Project) -> "DockerRuntime | None":
    """An engine is asked only if the folder's bundle is Docker's: another folder's platform may have this one's name.

    That bundle stays until what it started has been taken down. Without an engine nothing of it runs.
    """
    if not (project.bundle / COMPOSE).exists():
        return None
    docker = _docker(project, patience=_PATIENCE)
    try:
        docker.check_engine()
    except EngineError:
        return None
    return docker


def _choose(project: Project) -> Runtime:
    """A platform stays where it has its data, also without its bundle; a new one runs on the engine, if one answers."""
    has_data = any(project.data.glob("*"))
    if has_data and (project.bundle / SUPERVISOR).exists():
        return _local(project)
    docker = _docker(project)
    try:
        docker.check_engine()
    except EngineError as error:
        if (project.bundle / COMPOSE).exists():
            remedy = (
                f'{error.remedy} Or set runtime = "local" under [platform] in {project.file}, to begin a new platform.'
            )
            raise EngineError(f"{error.message} This platform has run on Docker.", remedy=remedy) from error
        return _local(
            project, _FALLBACK.format(database="your own database" if project.spec.database.url else "SQLite")
        )
    is_on_docker = (project.bundle / COMPOSE).exists() or not has_data or docker.names()
    return docker if is_on_docker else _local(project)


def _docker(project: Project, *, patience: int = 120) -> "DockerRuntime":
    from platformctl.runtimes.docker.runtime import DockerRuntime  # noqa: PLC0415  # what the other runtime needs isn't loaded

    return DockerRuntime(project, patience=patience)


def _local(project: Project, note: str = "") -> Runtime:
    from platformctl.runtimes.local.runtime import LocalRuntime  # noqa: PLC0415  # as above

    return LocalRuntime(project, note, has_port_elsewhere=lambda: _has_port_on_docker(project))
