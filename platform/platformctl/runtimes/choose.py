"""The one place that chooses what a platform runs on."""

from platformctl.runtimes.docker import DockerRuntime
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project


def choose_runtime(project: Project) -> Runtime:
    """Return the runtime that platform.toml asks for; raises EngineError where it isn't to be had."""
    return DockerRuntime(project)
