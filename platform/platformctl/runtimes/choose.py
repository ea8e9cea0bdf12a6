"""The one place that chooses what a platform runs on."""

from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project


def choose_runtime(project: Project) -> Runtime:
    """Return the runtime that platform.toml asks for; raises EngineError where it isn't to be had."""
    from platformctl.runtimes.docker import DockerRuntime  # noqa: PLC0415  # half a second, for commands that need it

    return DockerRuntime(project)
