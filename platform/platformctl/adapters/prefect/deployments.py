"""Deployments in Prefect's API: read whole, and changed a field or a schedule at a time."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from platformctl.model.deployment import ITSELF, MARK, SCHEMA, Json, LiveDeployment

IMAGES = "platformctl_images"
"""The Prefect variable that holds from what the flows of each image were described."""
FORMER = "platformctl_deployments"
"""The Prefect variable in which an earlier platformctl kept what each deployment was registered from."""
_FIELDS = (
    "entrypoint",
    "work_pool_name",
    "work_queue_name",
    "parameters",
    "tags",
    "description",
    "version",
    "paused",
    "concurrency_options",
    "job_variables",
    "enforce_parameter_schema",
    "pull_steps",
)
_SCHEDULE = ("id", "schedule", "active", "parameters", "slug")
Ask = Callable[[str, str, Json | list[Json] | None], Any]
"""From a method, a path and a body to the JSON of the answer; None where what is asked about isn't there."""


class Deployments:
    """What is asked of deployments, through a connection."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def create(self, flow: str, fields: Json) -> str:
        """Create a deployment of a flow, or bring one of its name to the same; return its id."""
        flow_id = self._ask("POST", "/flows/", {"name": flow})["id"]
        return str(self._ask("POST", "/deployments/", {**fields, "flow_id": flow_id})["id"])

    def update(self, id_: str, fields: Json) -> None:
        """Change some fields of a deployment, and no other."""
        self._ask("PATCH", f"/deployments/{id_}", fields)

    def delete(self, id_: str) -> None:
        """Delete a deployment and the automations of its triggers; one that isn't there is fine."""
        self.set_automations(id_, ())
        self._ask("DELETE", f"/deployments/{id_}", None)

    def create_schedule(self, id_: str, schedule: Json) -> None:
        """Add a schedule to a deployment."""
        self._ask("POST", f"/deployments/{id_}/schedules", [schedule])

    def update_schedule(self, id_: str, schedule: str, fields: Json) -> None:
        """Change some fields of a deployment's schedule."""
        self._ask("PATCH", f"/deployments/{id_}/schedules/{schedule}", fields)

    def delete_schedule(self, id_: str, schedule: str) -> None:
        """End a schedule of a deployment; one that isn't there is fine."""
        self._ask("DELETE", f"/deployments/{id_}/schedules/{schedule}", None)

    def set_automations(self, id_: str, automations: Sequence[Json]) -> None:
        """Have some automations as those of a deployment's triggers, and no others."""
        owner = f"prefect.deployment.{id_}"
        self._ask("DELETE", f"/automations/owned-by/{owner}", None)
        for automation in automations:
            self._ask("POST", "/automations/", {**_about(automation, id_), "owner_resource": owner})

    def record_images(self, digests: Mapping[str, str]) -> None:
        """Record from what the flows of each image were described, image to digest."""
        variable = {"name": IMAGES, "value": dict(digests)}
        if self._ask("PATCH", f"/variables/name/{IMAGES}", variable) is None:
            self._ask("POST", "/variables/", variable)

    def forget_former(self) -> None:
        """Delete the record of an earlier platformctl; one that isn't there is fine."""
        self._ask("DELETE", f"/variables/name/{FORMER}", None)

    def values_of(self, references: Collection[str]) -> dict[str, object]:
        """Return what references such as `prefect.variables.NAME` stand for; those to nothing are left out."""
        found = {reference: self._value(reference) for reference in sorted(references)}
        return {reference: value[0] for reference, value in found.items() if value}

    def _value(self, reference: str) -> tuple[()] | tuple[object]:
        _, kind, *path = reference.split(".", 4)
        if kind == "variables":
            variable = self._ask("GET", f"/variables/name/{'.'.join(path)}", None)
            return (variable["value"],) if variable else ()
        if len(path) < 2:  # the type and the name
            return ()
        where = f"/block_types/slug/{path[0]}/block_documents/name/{path[1]}?include_secrets=true"
        block = self._ask("GET", where, None)
        return _inside(block["data"], path[2:]) if block else ()


def read_deployment(item: Json, flows: Mapping[str, str]) -> LiveDeployment:
    """Return a deployment of the API's. flows: id to name."""
    schema = dict(item.get(SCHEMA) or {})
    mark = schema.pop(MARK, None)
    limit = (item.get("global_concurrency_limit") or {}).get("limit")
    fields = {key: item.get(key) for key in _FIELDS} | {"concurrency_limit": limit}
    schedules = tuple({key: each.get(key) for key in _SCHEDULE} for each in item.get("schedules") or ())
    return LiveDeployment(
        str(item["id"]), flows.get(item["flow_id"], "?"), item["name"], fields, schedules, schema, mark
    )


def _about(value: Any, id_: str) -> Any:  # noqa: ANN401  # JSON
    """The same JSON about a deployment with an id."""
    if isinstance(value, Mapping):
        return {key: _about(item, id_) for key, item in value.items()}
    if isinstance(value, list):
        return [_about(item, id_) for item in value]
    return value.replace(ITSELF, id_) if isinstance(value, str) else value


def _inside(data: Any, path: Sequence[str]) -> tuple[()] | tuple[object]:  # noqa: ANN401  # JSON
    """What a path such as `value.hosts[0]` leads to in a block's data; of a block that is one value, that value."""
    keys: list[str] = re.findall(r"[^.\[\]]+", ".".join(path))
    if set(data) == {"value"} and keys[:1] != ["value"]:
        data = data["value"]
    for key in keys:
        if isinstance(data, list) and key.isdigit() and int(key) < len(data):
            data = data[int(key)]
        elif isinstance(data, dict) and key in data:
            data = data[key]
        else:
            return ()
    return (data,)
