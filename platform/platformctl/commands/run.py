"""`run`: start a flow run of a deployment."""

import json
from collections.abc import Mapping, Sequence

from platformctl.adapters.prefect.ports import Api, Json
from platformctl.commands.workspace import Workspace
from platformctl.errors import RunError, ServerError, UsageError
from platformctl.model.observed import FlowRun
from platformctl.spec.problems import unknown_name


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


def start_run(api: Api, name: str, parameters: Sequence[str]) -> FlowRun:
    """Start a flow run of the deployment FLOW/DEPLOYMENT.

    parameters: KEY=VALUE each, the value as JSON or else as a string. Raises UsageError for a deployment or a parameter
    that isn't there, and with Prefect's words for a value that doesn't fit.
    """
    deployment = find_deployment(api, name)
    schema = (deployment.get("parameter_openapi_schema") or {}).get("properties") or {}
    values = dict(_parameter(item, schema) for item in parameters)
    _check_parameters(name, deployment, values)
    return api.create_run(str(deployment["id"]), values)


def find_obstacle(api: Api, name: str) -> str | None:
    """Return why a flow run of a deployment won't begin by itself; None where nothing is in its way."""
    pool = find_deployment(api, name).get("work_pool_name")
    found = api.pool(pool) if pool else None
    if found is None:
        return f"{name} has no work pool"
    if found.is_paused:
        return f"the work pool {pool} is paused: `platformctl pools resume {pool}`"
    if not any(worker.is_online for worker in api.workers(found.name)):
        return f"no worker of the work pool {pool} is online: `platformctl scale {pool}=1` starts one"
    return None


def require_completed(api: Api, run: str) -> None:
    """Raise RunError unless a flow run Completed. run: its id."""
    found = api.run(run)
    if found.state_type != "COMPLETED":
        said = api.run_message(run)
        remedy = f"Its log is at {api.url.removesuffix('/api')}/runs/flow-run/{run}"
        raise RunError(f"{found.name} is {found.state_name}{': ' + said if said else '.'}", remedy=remedy)


def _parameter(item: str, schema: Json) -> tuple[str, object]:
    """The key and the value: a string where the flow takes one, or else JSON, or else a string."""
    key, found, value = item.partition("=")
    if not found or not key:
        remedy = "Write it as KEY=VALUE; the value is JSON or a string."
        raise UsageError(f"The parameter {item!r} has no {'value' if key else 'name'}.", remedy=remedy)
    if item != item.encode("utf-8", "replace").decode():
        raise UsageError(f"The parameter {key!r} isn't a text in UTF-8.", remedy="Write it in UTF-8.")
    if (schema.get(key) or {}).get("type") == "string" and not value.startswith('"'):
        return key, value
    try:
        return key, json.loads(value, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return key, value


def _no_json(word: str) -> object:
    raise ValueError(f"{word} isn't JSON")


def _check_parameters(name: str, deployment: Json, values: Mapping[str, object]) -> None:
    schema = deployment.get("parameter_openapi_schema") or {}
    known = list(schema.get("properties") or {})
    for key in values:
        if key not in known:
            remedy = f"Its parameters: {', '.join(known) or 'none'}."
            raise unknown_name(f"{name} has no parameter {key!r}", key, known, remedy=remedy)
    given = {**(deployment.get("parameters") or {}), **values}
    missing = [key for key in schema.get("required") or [] if key not in given]
    if missing:
        raise UsageError(f"{name} needs the parameter {missing[0]!r}.", remedy=f"Add `-p {missing[0]}=VALUE`.")
