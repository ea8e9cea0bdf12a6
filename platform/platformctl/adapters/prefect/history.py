"""Flow runs as Prefect's API tells of them, and what is asked of them: to end, to be tried again."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from platformctl.adapters.prefect.ports import Json
from platformctl.errors import RunError
from platformctl.model.observed import FlowRun
from platformctl.model.runs import RunQuery, RunRecord, RunState, TaskRecord

_TYPES = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class PrefectHistory:
    """The history of a server. ask, read_all: for a method, path and body; for all objects of a filter."""

    def __init__(
        self,
        ask: Callable[[str, str, Json | None], Any],
        read_all: Callable[[str, Json | None], list[Json]],
        to_run: Callable[[Json], FlowRun],
    ) -> None:
        self._ask, self._all, self._to_run = ask, read_all, to_run

    def find(self, query: RunQuery) -> list[RunRecord]:
        """Return flow runs, those that are due last at the beginning."""
        wanted = {**_filter(query), "sort": "EXPECTED_START_TIME_DESC", "limit": min(query.limit, 200)}
        return self._records(self._ask("POST", "/flow_runs/filter", wanted))

    def children(self, runs: Collection[str]) -> list[RunRecord]:
        """Return the flow runs that some runs started."""
        wanted = {"flow_runs": {"parent_flow_run_id": {"any_": sorted(runs)}}}
        return self._records(self._all("/flow_runs/filter", wanted))

    def count(self, query: RunQuery) -> int:
        """Return how many there are."""
        return int(self._ask("POST", "/flow_runs/count", _filter(query)))

    def states(self, run: str) -> list[RunState]:
        """Return the states of a flow run."""
        found = self._ask("GET", f"/flow_run_states/?flow_run_id={run}", None)
        states = [
            RunState(_time(each["timestamp"]), each["type"], each["name"], each["message"] or "") for each in found
        ]
        return sorted(states, key=lambda state: state.time)

    def tasks(self, runs: Collection[str]) -> list[TaskRecord]:
        """Return the task runs of flow runs."""
        return [_task(item) for item in self._all("/task_runs/filter", {"flow_runs": {"id": {"any_": sorted(runs)}}})]

    def cancel(self, run: str) -> str:
        """Ask a flow run to end; one that has no process yet has ended with that."""
        answer = self._set(run, {"type": "CANCELLING", "name": "Cancelling"})
        return str(answer["state"]["type"])

    def retry(self, run: str) -> None:
        """Schedule an ended flow run once more, as Prefect's UI does."""
        answer = self._set(run, {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Tried again by platformctl"})
        if answer["status"] != "ACCEPT":
            reason = (answer.get("details") or {}).get("reason") or answer["status"]
            raise RunError(f"Prefect doesn't run it again: {reason}", remedy="`platformctl run` starts a new flow run.")

    def _set(self, run: str, state: Json) -> Any:  # noqa: ANN401  # JSON
        return self._ask("POST", f"/flow_runs/{run}/set_state", {"state": state})

    def _records(self, found: list[Json]) -> list[RunRecord]:
        flows = self._names("flows", [item["flow_id"] for item in found])
        deployments = self._names("deployments", [item["deployment_id"] for item in found])
        return [self._record(item, flows, deployments) for item in found]

    def _names(self, kind: str, ids: Collection[str | None]) -> dict[str, str]:
        wanted = sorted({id_ for id_ in ids if id_})
        found = self._all(f"/{kind}/filter", {kind: {"id": {"any_": wanted}}}) if wanted else []
        return {item["id"]: item["name"] for item in found}

    def _record(self, item: Json, flows: Json, deployments: Json) -> RunRecord:
        flow, deployment = flows.get(item["flow_id"], "?"), deployments.get(item["deployment_id"])
        return RunRecord(
            self._to_run(item),
            flow,
            f"{flow}/{deployment}" if deployment else "",
            message=(item.get("state") or {}).get("message") or "",
            due=_time(item["next_scheduled_start_time"] or item["expected_start_time"]),
            started=_time(item["start_time"]),
            ended=_time(item["end_time"]),
            parameters=item["parameters"] or {},
            tags=tuple(item["tags"]),
            attempts=item["run_count"],
            parent_task=item["parent_task_run_id"],
            retries_in_process=(item["empirical_policy"] or {}).get("retry_type") == "in_process",
        )


def _filter(query: RunQuery) -> dict[str, object]:
    """The filters of a request for flow runs."""
    types, names = ([each for each in query.states if (each in _TYPES) is is_type] for is_type in (True, False))
    runs: dict[str, object] = {}
    if query.states:
        kinds = {"type": {"any_": types}, "name": {"any_": names}}
        given = {key: kind for key, kind in kinds.items() if kind["any_"]}
        runs["state"] = {"operator": "or_", **given}
    runs |= {key: {"any_": list(given)} for key, given in (("id", query.ids), ("name", query.names)) if given}
    due = {"before_": query.before and query.before.isoformat(), "after_": query.after and query.after.isoformat()}
    if query.before or query.after:
        runs["expected_start_time"] = {key: value for key, value in due.items() if value}
    if query.is_top is not None:
        runs["parent_task_run_id"] = {"is_null_": query.is_top}
    if query.is_deployed is not None:
        runs["deployment_id"] = {"is_null_": not query.is_deployed}
    flow, _, deployment = (query.deployment or "").partition("/")
    others = (("work_pools", query.pool), ("flows", flow), ("deployments", deployment))
    return {"flow_runs": runs, **{key: {"name": {"any_": [name]}} for key, name in others if name}}


def _task(item: Json) -> TaskRecord:
    message = (item.get("state") or {}).get("message") or ""
    times = (datetime.fromisoformat(item["created"]), _time(item["start_time"]), _time(item["end_time"]))
    state = (item["state_type"] or "PENDING", item["state_name"] or "Pending")
    return TaskRecord(item["id"], item["name"], str(item["flow_run_id"]), *state, message, *times)


def _time(text: str | None) -> Any:  # noqa: ANN401  # a time where there is a text
    return datetime.fromisoformat(text) if text else None
