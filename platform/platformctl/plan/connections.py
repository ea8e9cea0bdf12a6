"""The ways to the outside world that observing and executing a plan take; tests pass others."""

from typing import Protocol

from platformctl.adapters.prefect.ports import Api, Client
from platformctl.model.spec import RuntimeName
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project


class Connections(Protocol):
    """The ways to the outside world of a project."""

    def runtime(self, project: Project, name: RuntimeName | None) -> Runtime:
        """Return what carries the platform. name: another one than platform.toml asks for. Raises EngineError."""

    def former_runtime(self, project: Project, runtime: Runtime) -> Runtime | None:
        """Return the other runtime if something of the platform is still there; None if not, or if this can't be found out."""

    def former_name(self, project: Project, runtime: Runtime) -> str | None:
        """Return the name under which the folder's platform runs, where platform.toml calls it otherwise by now."""

    def api(self, project: Project) -> Api | None:
        """Return Prefect's API, whether it answers or not; None while the platform has no secrets yet."""

    def client(self, project: Project) -> Client:
        """Return Prefect's client."""

    def preload(self) -> None:
        """Load what `client` needs, ahead of time."""
