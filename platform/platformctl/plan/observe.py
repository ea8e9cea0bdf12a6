"""Reading the outside world: the bundle on disk, the engine, and Prefect. Nothing here changes anything."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from platformctl.adapters.prefect.ports import Api
from platformctl.model.deployment import Described
from platformctl.model.observed import Machine, Observed, Prefect
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.runtime import Runtime
from platformctl.stack.files import changed_files
from platformctl.state.drain_marks import drained_pools
from platformctl.state.secrets import unwritten_secrets


def observe(
    wanted: Wanted, runtime: Runtime, api: Api | None, flows: Mapping[str, Described] | None = None
) -> Observed:
    """Return what is there; raises EngineError where the engine doesn't answer.

    api: None where the platform has no secrets yet. It is asked only if a server runs. flows: what is known of them by now.
    """
    project = wanted.project
    machine = runtime.observe([*wanted.stack.pulled, *(image.reference for image in wanted.stack.built)])
    return Observed(
        time=datetime.now(UTC),
        unwritten_secrets=unwritten_secrets(project),
        changed_files=changed_files(wanted.files, project.bundle),
        interrupted_drains=drained_pools(runtime.keeper),
        machine=machine,
        prefect=_observe_prefect(machine, api, wanted.stack.references),
        built=runtime.built_images(),
        flows=dict(flows or {}),
    )


def observe_running(runtime: Runtime, api: Api | None) -> Observed:
    """Return what is there, whatever the project's files want: what taking a platform down goes by."""
    machine = runtime.observe([])
    return Observed(
        time=datetime.now(UTC),
        unwritten_secrets=(),
        changed_files=(),
        interrupted_drains=drained_pools(runtime.keeper),
        machine=machine,
        prefect=_observe_prefect(machine, api),
        built=runtime.built_images(),
    )


def _observe_prefect(machine: Machine, api: Api | None, references: Collection[str] = ()) -> Prefect | None:
    runs_server = any(instance.role == "server" and instance.status == "running" for instance in machine.instances)
    return api.observe(references) if api and runs_server and api.is_ready() else None
