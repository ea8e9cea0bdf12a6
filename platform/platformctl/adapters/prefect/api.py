"""What Prefect's API says, over plain HTTP.

Importing Prefect's client takes one to four seconds of processor time on a small machine, and a status, a plan or an `up`
with nothing to do must not cost that: what only reads, what only starts, and deployments are asked for here. What defines pools
goes through Prefect's own client, in `client.py`.
"""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from platformctl.adapters.prefect.deployments import FORMER, IMAGES, Deployments, read_deployment
from platformctl.adapters.prefect.history import PrefectHistory
from platformctl.adapters.prefect.ports import Json, LogLine, RunRequest
from platformctl.adapters.prefect.refusals import refused, wrong_parameters
from platformctl.adapters.prefect.timetables import PrefectTimetables
from platformctl.errors import PlatformError, ServerError
from platformctl.model.deployment import LiveDeployment
from platformctl.model.job_templates import lacking_variables
from platformctl.model.observed import FlowRun, Prefect, Worker, WorkPool
from prefect_warm_worker.contract import (
    IN_PROCESS,
    TAKEN,
    WORKER_LABEL,
    LostRunOutcome,
    is_taken,
    settled_state,
)

_ZOMBIES = "platformctl: crash flow runs that stopped sending heartbeats"
"""The name of the automation that an earlier platformctl had crash flow runs."""
_RETRIES = Retry(
    connect=0, read=0, status=7, status_forcelist=[503], allowed_methods=None, backoff_factor=0.1, raise_on_status=False
)
"""With 503 Prefect asks a client to try again: SQLite refuses a transaction that another one has overtaken."""
_PAGE = 200
_SECONDS = 15
_READING = ("/filter", "/count")
"""How the paths end of what reads by POST."""
Refusal = Callable[[str, int, str], PlatformError]
"""From a server's URL, the status of its answer and its text to the error."""


class PrefectApi:
    """Prefect's API at an address such as `http://127.0.0.1:4200/api`, with its user and password."""

    def __init__(self, url: str, auth: SecretStr) -> None:
        """auth: `user:password`."""
        self.url = url
        self._session = requests.Session()
        self._session.auth = tuple(auth.get_secret_value().split(":", 1))  # type: ignore[assignment]  # two strings
        self._session.trust_env = False  # a proxy is not asked for a loopback address
        self._session.mount(url, HTTPAdapter(max_retries=_RETRIES))
        self._session.mount(f"{url}/ready", HTTPAdapter())  # who asks this waits for it anyway
        self.history = PrefectHistory(self._answer, self._all, _run)
        self.timetables = PrefectTimetables(self._answer, self._all)
        self.definitions = Deployments(self._ask_json)

    def is_ready(self) -> bool:
        """Whether the server answers and reaches its database."""
        try:
            return self._session.get(f"{self.url}/ready", timeout=3).ok
        except requests.RequestException:
            return False

    def observe(self, references: Collection[str] = ()) -> Prefect:
        """Read everything that a plan compares; raises ServerError where the server doesn't answer.

        references: those of deployments to variables and blocks, such as `prefect.variables.NAME`.
        """
        pools = [_pool(item) for item in self._all("/work_pools/filter")]
        workers = [worker for pool in pools for worker in self.workers(pool.name)]
        records = self._records()
        return Prefect(
            version=str(self._get("/admin/version")),
            pools={pool.name: pool for pool in pools},
            workers=tuple(workers),
            runs=tuple(self.taken_runs()),
            zombie_automations=self._zombie_automations(),
            deployments=tuple(self._deployments()),
            described=records.get(IMAGES, {}),
            former=records.get(FORMER),
            references=self.definitions.values_of(references),
        )

    def pool(self, name: str) -> WorkPool | None:
        """Return a pool; None where there is none."""
        answer = self._ask("GET", f"/work_pools/{quote(name, safe='')}", may_miss=True)
        return None if answer.status_code == requests.codes.not_found else _pool(answer.json())

    def workers(self, pool: str) -> list[Worker]:
        """Return the workers of a pool, those that went away long ago among them."""
        return [_worker(item, pool) for item in self._all(f"/work_pools/{pool}/workers/filter")]

    def runs(self, states: Sequence[str], pool: str | None = None) -> list[FlowRun]:
        """Return the flow runs, of a pool or of all, whose state is of one of some types."""
        wanted: dict[str, object] = {"flow_runs": {"state": {"type": {"any_": list(states)}}}}
        if pool:
            wanted["work_pools"] = {"name": {"any_": [pool]}}
        return [_run(item) for item in self._all("/flow_runs/filter", wanted)]

    def taken_runs(self) -> list[FlowRun]:
        """Return the flow runs that workers have taken and not ended, those among them that await their retry."""
        found = self._all("/flow_runs/filter", {"flow_runs": {"state": TAKEN}})
        return [
            _run(item)
            for item in found
            if is_taken(item["state_type"], item["state_name"], item["empirical_policy"].get("retry_type"))
        ]

    def run(self, id_: str) -> FlowRun:
        """Return a flow run; raises ServerError where it isn't there."""
        return _run(self._get(f"/flow_runs/{id_}"))

    def run_message(self, id_: str) -> str:
        """Return what the state of a flow run says about itself; empty where it says nothing."""
        return str((self._get(f"/flow_runs/{id_}").get("state") or {}).get("message") or "")

    def child_runs(self, parents: Collection[str]) -> list[FlowRun]:
        """Return the flow runs that some runs started as their own, in their process or as runs of deployments."""
        wanted = {"flow_runs": {"parent_flow_run_id": {"any_": sorted(parents)}}}
        return [_run(item) for item in self._all("/flow_runs/filter", wanted)]

    def task_names(self, tasks: Collection[str]) -> dict[str, str]:
        """Return the names of task runs by id; one that was begun just now may be lacking."""
        found = self._all("/task_runs/filter", {"task_runs": {"id": {"any_": sorted(tasks)}}})
        return {item["id"]: item["name"] for item in found}

    def logs(self, runs: Collection[str]) -> list[LogLine]:
        """Return all log lines of runs, oldest first. Lines arrive in batches, and not in the order of their times."""
        wanted = {"logs": {"flow_run_id": {"any_": sorted(runs)}}, "sort": "TIMESTAMP_ASC"}
        return [_log_line(item) for item in self._all("/logs/filter", wanted)]

    def deployment_names(self) -> list[str]:
        """Return the names of all deployments, FLOW/DEPLOYMENT."""
        flows = {item["id"]: item["name"] for item in self._all("/flows/filter")}
        return sorted(f"{flows.get(item['flow_id'], '?')}/{item['name']}" for item in self._all("/deployments/filter"))

    def deployment(self, name: str) -> Json | None:
        """Return the deployment FLOW/DEPLOYMENT; None where there is none."""
        answer = self._ask("GET", f"/deployments/name/{quote(name)}", may_miss=True)
        return None if answer.status_code == requests.codes.not_found else answer.json()

    def create_run(self, deployment: str, wanted: RunRequest) -> FlowRun:
        """Start a run of the deployment with an id; raises UsageError with the server's words for bad parameters."""
        state: dict[str, object] = {"type": "SCHEDULED"}
        if wanted.start:
            state["state_details"] = {"scheduled_time": wanted.start.isoformat()}
        body = {"parameters": dict(wanted.parameters), "state": state, "tags": list(wanted.tags)}
        body |= {"name": wanted.name} if wanted.name else {}
        path = f"/deployments/{deployment}/create_flow_run"
        return _run(self._ask("POST", path, body, refusal=wrong_parameters).json())

    def settle_run(self, id_: str, judged: str, outcome: LostRunOutcome, message: str) -> None:
        """Settle a flow run while its state is the one that was judged, by its id; nothing is forced, and no request repeated."""
        found = self._get(f"/flow_runs/{id_}")
        if found["state_id"] != judged:
            return
        policy = found["empirical_policy"]
        if outcome is LostRunOutcome.REQUEUE and policy.get("retry_type") == IN_PROCESS:
            self._ask("PATCH", f"/flow_runs/{id_}", {"empirical_policy": {**policy, "retry_type": None}})
            if found["state_type"] == "SCHEDULED":
                return  # it awaits its retry, which any worker may begin now
        state = settled_state(outcome, message, judged, datetime.now(UTC))
        self._post(f"/flow_runs/{id_}/set_state", {"state": state, "force": False})

    def cancel_run(self, id_: str, message: str) -> None:
        """Force a flow run into the state Cancelled: one that has not begun, or whose process is gone."""
        state = {"type": "CANCELLED", "name": "Cancelled", "message": message}
        self._post(f"/flow_runs/{id_}/set_state", {"state": state, "force": True})

    def set_paused(self, pool: str, *, is_paused: bool) -> None:
        """Pause a pool, or let it go on; nothing else of it changes."""
        self._ask("PATCH", f"/work_pools/{pool}", {"is_paused": is_paused})

    def delete_pool(self, name: str) -> None:
        """Delete a pool with its queues; one that isn't there is fine."""
        self._ask("DELETE", f"/work_pools/{name}", may_miss=True)

    def delete_worker(self, pool: str, name: str) -> None:
        """Delete the row of a worker that won't come back; Prefect would keep it for ever. One that isn't there is fine."""
        self._ask("DELETE", f"/work_pools/{pool}/workers/{name}", may_miss=True)

    def delete_automation(self, id_: str) -> None:
        """Delete an automation; one that isn't there is fine."""
        self._ask("DELETE", f"/automations/{id_}", may_miss=True)

    def _deployments(self) -> list[LiveDeployment]:
        found = self._all("/deployments/filter")
        flows = {item["id"]: item["name"] for item in self._all("/flows/filter")} if found else {}
        return [read_deployment(item, flows) for item in found]

    def _records(self) -> dict[str, Mapping[str, str]]:
        """The variables in which platformctl keeps something, name to value."""
        wanted = {"variables": {"name": {"any_": [IMAGES, FORMER]}}}
        return {item["name"]: item["value"] for item in self._post("/variables/filter", wanted)}

    def _zombie_automations(self) -> tuple[str, ...]:
        found = self._post("/automations/filter", {"automations": {"name": {"any_": [_ZOMBIES]}}})
        return tuple(str(item["id"]) for item in found)

    def _all(self, path: str, wanted: Json | None = None) -> list[Json]:
        """Every object of a filter: the server gives 200 at a time."""
        found: list[Json] = []
        while True:
            page = self._post(path, {**(wanted or {}), "offset": len(found), "limit": _PAGE})
            found += page
            if len(page) < _PAGE:
                return found

    def _answer(self, method: str, path: str, body: Json | None = None) -> Any:  # noqa: ANN401  # JSON
        answer = self._ask(method, path, body)
        return answer.json() if answer.content else None

    def _get(self, path: str) -> Any:  # noqa: ANN401  # JSON
        return self._ask("GET", path).json()

    def _post(self, path: str, body: Json) -> Any:  # noqa: ANN401  # JSON
        return self._ask("POST", path, body).json()

    def _ask_json(self, method: str, path: str, body: Json | list[Json] | None) -> Any:  # noqa: ANN401  # JSON
        """The JSON of an answer, empty where it has none; None where what is asked about isn't there."""
        answer = self._ask(method, path, body, may_miss=method != "POST")
        if answer.status_code == requests.codes.not_found:
            return None
        return answer.json() if answer.content else {}

    def _send(self, method: str, path: str, body: Json | list[Json] | None) -> requests.Response:
        """Send a request; one that only reads is sent again where a busy server gives no answer in time."""
        send = functools.partial(self._session.request, method, self.url + path, json=body, timeout=_SECONDS)
        try:
            return send()
        except requests.ReadTimeout:
            if method != "GET" and not path.endswith(_READING):
                raise
            return send()

    def _ask(
        self,
        method: str,
        path: str,
        body: Json | list[Json] | None = None,
        *,
        may_miss: bool = False,
        refusal: Refusal | None = None,
    ) -> requests.Response:
        try:
            answer = self._send(method, path, body)
        except requests.RequestException as error:
            remedy = "`platformctl status` shows what runs, `platformctl logs server` what it says."
            raise ServerError(f"Prefect's server at {self.url} doesn't answer: {error}", remedy=remedy) from error
        if answer.ok or (may_miss and answer.status_code == requests.codes.not_found):
            return answer
        raise (refusal or refused)(self.url, answer.status_code, answer.text)


def _pool(item: Json) -> WorkPool:
    limit, text = item["concurrency_limit"], item["description"] or ""
    missing_variables = lacking_variables(item["base_job_template"] or {})
    return WorkPool(
        item["name"], item["type"], limit, text, is_paused=item["is_paused"], missing_variables=missing_variables
    )


def _worker(item: Json, pool: str) -> Worker:
    beat = datetime.fromisoformat(item["last_heartbeat_time"])
    return Worker(item["name"], pool, is_online=item["status"] == "ONLINE", last_heartbeat=beat)


def _run(item: Json) -> FlowRun:
    since = datetime.fromisoformat(item["state"]["timestamp"] if item.get("state") else item["created"])
    worker = (item.get("labels") or {}).get(WORKER_LABEL)
    pool = item.get("work_pool_name")
    return FlowRun(
        item["id"],
        item["name"],
        item["state_type"],
        item["state_name"],
        since,
        pool,
        worker,
        item.get("state_id") or "",
    )


def _log_line(item: Json) -> LogLine:
    time, said = datetime.fromisoformat(item["timestamp"]), item["message"]
    ends_run = item["name"] == "prefect.flow_runs" and "Finished in state" in said
    return LogLine(item["id"], time, item["level"], said, item["flow_run_id"], item["task_run_id"], ends_run)
