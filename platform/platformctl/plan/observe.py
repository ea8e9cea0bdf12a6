"""Reading the outside world: the bundle on disk, the engine, and Prefect. Nothing here changes anything."""

from datetime import UTC, datetime

from platformctl.adapters.prefect.ports import Api
from platformctl.model.observed import Observed
from platformctl.plan.drain import interrupted_drains
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.runtime import Runtime
from platformctl.stack.bundle import changed_files
from platformctl.state.secrets import unwritten_secrets


def observe(wanted: Wanted, runtime: Runtime, api: Api | None) -> Observed:
    """Return what is there; raises EngineError where the engine doesn't answer.

    api: None where the platform has no secrets yet. It is asked only if a server runs.
    """
    project = wanted.project
    images = [*wanted.bundle.pulled, *(image.reference for image in wanted.bundle.built)]
    machine = runtime.observe(images)
    runs_server = any(instance.role == "server" and instance.status == "running" for instance in machine.instances)
    return Observed(
        time=datetime.now(UTC),
        unwritten_secrets=unwritten_secrets(project),
        changed_files=changed_files(wanted.bundle, project.bundle),
        interrupted_drains=interrupted_drains(project.state),
        machine=machine,
        prefect=api.observe() if api and runs_server and api.is_ready() else None,
    )
