"""The real ways to the outside world: an engine or local processes, and Prefect's server at its published address."""

from platformctl.adapters.prefect.ports import Api, Client
from platformctl.model.spec import RuntimeName
from platformctl.runtimes.choose import choose_runtime, former_name, former_runtime
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project
from platformctl.state.secrets import missing_secrets, read_secrets


class RealConnections:
    """What is heavy is imported when it is needed."""

    def runtime(self, project: Project, name: RuntimeName | None) -> Runtime:
        """Choose what platform.toml asks for, or another one."""
        return choose_runtime(project, name)

    def former_runtime(self, project: Project, runtime: Runtime) -> Runtime | None:
        """Return the runtime that is to be left, where something of the platform is still there."""
        return former_runtime(project, runtime)

    def former_name(self, project: Project, runtime: Runtime) -> str | None:
        """Return the name that platform.toml had when the platform was started, where it has another one by now."""
        return former_name(project, runtime)

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


def _api_url(project: Project) -> str:
    return f"{project.server_url}/api"
