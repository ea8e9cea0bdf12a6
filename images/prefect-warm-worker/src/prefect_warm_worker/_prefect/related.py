"""What a flow run's events are related to: its worker has read that, so that the run needn't ask the server for it again.

Prefect remembers it as long as a process lives, which at one run a process is a request for each of them a run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from prefect.client.schemas.objects import Flow, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events import RelatedResource, related


def describe_related(deployment: DeploymentResponse | None, flow: Flow | None, pool: WorkPool | None) -> str:
    """Return, as JSON, what the events of a flow run tell of these."""
    known: list[tuple[str, object, Any]] = []
    if flow is not None:
        known.append(("flow", flow, flow.id))
    if deployment is not None:
        known.append(("deployment", deployment, deployment.id))
    if pool is not None:
        known.append(("work-pool", pool, pool.name))
    return json.dumps([_describe(kind, each, f"{kind}.{key}") for kind, each, key in known])


def remember_related(described: str) -> None:
    """Have this process's events tell what was described, as if it had asked for it."""
    now = datetime.now(timezone.utc)  # noqa: UP017  # Python 3.10
    for each in json.loads(described):
        stands_in: Any = _Described(each["labels"], each["tags"])
        related.RESOURCE_CACHE[each["key"]] = ({"kind": each["kind"], "object": stands_in}, now)  # type: ignore[assignment]


def remember_queue(flow_run: Mapping[str, Any]) -> None:
    """Have this process's events tell of a flow run's work queue what the server's answer about the run says of it."""
    id_, name = flow_run.get("work_queue_id"), flow_run.get("work_queue_name")
    if id_ and name:
        labels = {"prefect.resource.id": f"prefect.work-queue.{id_}", "prefect.resource.name": name}
        key = f"work-queue.{id_}"
        remember_related(json.dumps([{"key": key, "kind": "work-queue", "labels": labels, "tags": []}]))


@dataclass(frozen=True, slots=True)
class _Described:
    """An object of Prefect's API, as far as events tell of it."""

    labels: Mapping[str, str]
    tags: list[str]

    def as_related_resource(self, role: str) -> RelatedResource:
        """Return it as Prefect's events name it."""
        return RelatedResource({**self.labels, "prefect.resource.role": role})


def _describe(kind: str, each: object, key: str) -> dict[str, Any]:
    labels = dict(related.object_as_related_resource(kind, kind, each))
    return {"key": key, "kind": kind, "labels": labels, "tags": getattr(each, "tags", [])}
