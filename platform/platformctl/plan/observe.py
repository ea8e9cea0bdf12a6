"""Reading the outside world: the bundle on disk, the engine, and Prefect. Nothing here changes anything."""

from platformctl.adapters.prefect_api import PrefectApi
from platformctl.drain import interrupted_drains
from platformctl.images import server_image
from platformctl.plan.observed import Observed, Prefect
from platformctl.plan.wanted import Wanted
from platformctl.render import changed_files, server_url
from platformctl.runtimes.runtime import Runtime
from platformctl.secrets import missing_secrets, read_secrets, unwritten_secrets
from platformctl.spec.load import Project


def observe(wanted: Wanted, runtime: Runtime) -> Observed:
    """Return what is there; raises EngineError where the engine doesn't answer."""
    project = wanted.project
    images = [project.spec.database.image, server_image(project.spec), *(image.reference for image in wanted.images)]
    machine = runtime.observe(images)
    runs_server = any(container.role == "server" and container.status == "running" for container in machine.containers)
    return Observed(
        unwritten_secrets=unwritten_secrets(project.secrets),
        changed_files=changed_files(wanted.bundle, project.bundle),
        interrupted_drains=interrupted_drains(project.state),
        machine=machine,
        prefect=_observe_prefect(project) if runs_server else None,
    )


def connect(project: Project) -> PrefectApi | None:
    """Return the platform's API where its secrets are known, whether it answers or not."""
    if missing_secrets(project.secrets):
        return None
    return PrefectApi(f"{server_url(project.spec.server)}/api", read_secrets(project.secrets).api_auth)


def _observe_prefect(project: Project) -> Prefect | None:
    api = connect(project)
    return api.observe() if api and api.is_ready() else None
