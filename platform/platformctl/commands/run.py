"""`run`: start a flow run of a deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from platformctl.adapters.prefect.ports import Api, Json, RunRequest
from platformctl.commands.moments import read_start
from platformctl.commands.parameters import read_parameters
from platformctl.commands.workspace import Workspace
from platformctl.errors import RunError, ServerError
from platformctl.model.observed import FlowRun, WorkPool
from platformctl.spec.problems import unknown_name


@dataclass(frozen=True, slots=True)
class TypedRun:
    """A flow run as it was asked for on the command line: what its options hold, unread.

    parameters: KEY=VALUE each. file: of parameters. span, at: when it begins. name: None for one of Prefect's.
    """

    parameters: Sequence[str] = ()
    file: Path | None = None
    span: str | None = None
    at: str | None = None
    tags: Sequence[str] = ()
    name: str | None = None


def require_server(workspace: Workspace) -> Api:
    """Return the API of a platform; raises ServerError where it doesn't answer."""
    api = workspace.ready_api()
    if api is None:
        remedy = "`platformctl up` starts it; `platformctl status` shows what runs."
        raise ServerError(f"The server of {workspace.project.spec.platform.name!r} doesn't answer.", remedy=remedy)
    return api


def find_deployment(api: Api, name: str) -> Json:
    """Return the deployment FLOW/DEPLOYMENT; raises UsageError, with the nearest, where it isn't there."""
    deployment = api.deployment(name) if name.count("/") == 1 else None
    if deployment is None:
        names = api.deployment_names()
        remedy = "It must be FLOW/DEPLOYMENT; `platformctl up` registers what prefect.yaml declares."
        raise unknown_name(f"There is no deployment {name!r}", name, names, remedy=remedy)
    return deployment


def start_run(api: Api, name: str, typed: TypedRun) -> tuple[FlowRun, datetime | None]:
    """Start a flow run of the deployment FLOW/DEPLOYMENT; return it, and when it is to begin where that isn't now.

    Raises UsageError for a deployment that isn't there, for parameters that it doesn't take, and for a time that is none.
    """
    start = read_start(typed.span, typed.at, datetime.now().astimezone())
    deployment = find_deployment(api, name)
    parameters = read_parameters(name, deployment, typed.parameters, typed.file)
    return api.create_run(str(deployment["id"]), RunRequest(parameters, tuple(typed.tags), typed.name, start)), start


def find_obstacle(api: Api, name: str) -> str | None:
    """Return why a flow run of a deployment won't begin by itself; None where nothing is in its way."""
    pool = find_deployment(api, name).get("work_pool_name")
    found = api.pool(pool) if pool else None
    is_served = found is not None and any(worker.is_online for worker in api.workers(found.name))
    return pool_obstacle(pool, found, is_served=is_served)


def pool_obstacle(name: str | None, pool: WorkPool | None, *, is_served: bool) -> str | None:
    """Return why a pool starts no flow run; None where nothing is in its way. is_served: whether a worker is online."""
    if name is None:
        return "its deployment has no work pool"
    if pool is None:
        return f"there is no work pool {name}: `platformctl pools create {name}`"
    if pool.is_paused:
        return f"the work pool {name} is paused: `platformctl pools resume {name}`"
    return (
        None if is_served else f"no worker of the work pool {name} is online: `platformctl scale {name}=1` starts one"
    )


def require_completed(api: Api, run: str) -> None:
    """Raise RunError unless a flow run Completed. run: its id."""
    found = api.run(run)
    if found.state_type != "COMPLETED":
        said = api.run_message(run)
        remedy = f"Its log is at {api.url.removesuffix('/api')}/runs/flow-run/{run}"
        raise RunError(f"{found.name} is {found.state_name}{': ' + said if said else '.'}", remedy=remedy)
