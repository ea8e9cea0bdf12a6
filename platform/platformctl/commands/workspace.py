"""Where a command works: a folder with a platform.toml, an overlay of it, and the ways to the outside world."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

from platformctl.adapters.prefect.ports import Api, Client
from platformctl.model.spec import RuntimeName
from platformctl.plan.connections import Connections
from platformctl.plan.wanted import Wanted, load_wanted
from platformctl.runtimes.choose import choose_runtime, former_runtime
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project, load_project
from platformctl.state.secrets import missing_secrets, read_secrets


class RealConnections:
    """The engine, and Prefect's server at its published address. What is heavy is imported when it is needed."""

    def runtime(self, project: Project, name: RuntimeName | None) -> Runtime:
        """Choose what platform.toml asks for, or another one."""
        return choose_runtime(project, name)

    def former_runtime(self, project: Project, runtime: Runtime) -> Runtime | None:
        """Return the local runtime where its processes run beside another one."""
        return former_runtime(project, runtime)

    def api(self, project: Project) -> Api | None:
        """Return the API at the published address, with the platform's password."""
        from platformctl.adapters.prefect.api import PrefectApi  # noqa: PLC0415

        if missing_secrets(project.secrets):
            return None
        return PrefectApi(_api_url(project), read_secrets(project.secrets).api_auth)

    def client(self, project: Project) -> Client:
        """Return the client at the published address, with the platform's password."""
        from platformctl.adapters.prefect.client import PrefectClient  # noqa: PLC0415

        return PrefectClient(_api_url(project), read_secrets(project.secrets).api_auth)

    def preload(self) -> None:
        """Import Prefect's client, which takes seconds."""
        import platformctl.adapters.prefect.client  # noqa: F401, PLC0415


@dataclass(frozen=True)
class Workspace:
    """A folder, the overlay that is chosen, and the ways to the outside world. runtime_name: another than platform.toml's."""

    folder: Path = Path()
    env: str | None = None
    connections: Connections = field(default_factory=RealConnections)
    runtime_name: RuntimeName | None = None

    def project(self) -> Project:
        """Read the folder's platform.toml as it is now; raises UsageError and SpecError."""
        return load_project(self.folder, self.env)

    def wanted(self) -> Wanted:
        """Read all that the folder's files want as they are now; raises UsageError and SpecError."""
        return load_wanted(self.project(), self.runtime.render)

    @functools.cached_property
    def runtime(self) -> Runtime:
        """What carries the platform; raises EngineError where it doesn't answer."""
        return self.connections.runtime(self.project(), self.runtime_name)

    def ready_api(self, project: Project) -> Api | None:
        """Return Prefect's API if it answers."""
        api = self.connections.api(project)
        return api if api and api.is_ready() else None


def _api_url(project: Project) -> str:
    return f"{project.server_url}/api"
