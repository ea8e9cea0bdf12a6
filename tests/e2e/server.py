"""Prefect's HTTP API as the tests read it: plain requests, so that nothing of what is tested is in between."""

from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from e2e.waiting import wait_for

Json = dict[str, Any]
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_RETRIES = Retry(status=7, status_forcelist=[503], allowed_methods=None, backoff_factor=0.1, raise_on_status=False)
"""What Prefect asks of its clients where SQLite is busy."""


@dataclass(frozen=True, slots=True)
class Server:
    """A Prefect server at an address, `http://host:port/api`, with the password of its user `admin`."""

    url: str
    password: str

    def ask(self, method: str, path: str, body: Json | list[Json] | None = None) -> Any:  # noqa: ANN401  # JSON
        """Ask, and return the answer's JSON; fails where the server refuses."""
        with requests.Session() as session:
            session.mount(self.url, HTTPAdapter(max_retries=_RETRIES))
            answer = session.request(method, self.url + path, json=body, auth=("admin", self.password), timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def is_ready(self) -> bool:
        """Whether the server answers, and reaches its database."""
        try:
            return requests.get(f"{self.url}/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def start_run(self, deployment: str, **parameters: object) -> str:
        """Start a run of FLOW/DEPLOYMENT and return its id."""
        id_ = self.ask("GET", f"/deployments/name/{deployment}")["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.ask("POST", f"/deployments/{id_}/create_flow_run", body)["id"])

    def run(self, id_: str) -> Json:
        """Return a flow run."""
        found: Json = self.ask("GET", f"/flow_runs/{id_}")
        return found

    def state(self, id_: str) -> str:
        """Return the type of a flow run's state."""
        return str(self.run(id_)["state_type"])

    def start_slow_run(self, seconds: int = 600) -> str:
        """Start a run of the slow flow, wait until it is Running in its own process, and return its id."""
        id_ = self.start_run("slow/slow", seconds=seconds)
        wait_for("the slow run is in the middle", lambda: (self.state(id_), self.logs(id_)), _is_under_way, seconds=90)
        return id_

    def worker_of(self, run: str) -> str:
        """Return the name of the worker that started a flow run."""
        return str(self.run(run)["labels"]["prefect.worker.name"])

    def logs(self, run: str) -> list[str]:
        """Return the log lines of a flow run, oldest first."""
        wanted = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
        return [str(item["message"]) for item in self.ask("POST", "/logs/filter", wanted)]

    def await_end(self, run: str, *, seconds: float = 90) -> str:
        """Wait until a flow run has ended, and return the type of its last state."""
        return wait_for(f"the run {run} ends", lambda: self.state(run), lambda state: state in FINAL, seconds=seconds)

    def count_task_runs(self, run: str) -> int:
        """Return how many task runs of a flow run Prefect has recorded."""
        return int(self.ask("POST", "/task_runs/count", {"flow_runs": {"id": {"any_": [run]}}}))

    def last_run(self, flow: str) -> Json:
        """Return the flow run of a flow that was created last."""
        wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_DESC", "limit": 200}
        return max(self.ask("POST", "/flow_runs/filter", wanted), key=lambda run: str(run["created"]))

    def pool(self, name: str) -> Json:
        """Return a work pool."""
        found: Json = self.ask("GET", f"/work_pools/{name}")
        return found

    def pools(self) -> list[str]:
        """Return the names of all work pools."""
        return sorted(item["name"] for item in self.ask("POST", "/work_pools/filter", {}))

    def workers(self, pool: str = "default") -> dict[str, str]:
        """Return the workers that Prefect knows of in a pool, name to ONLINE or OFFLINE; none where there is no pool."""
        if pool not in self.pools():
            return {}
        return {item["name"]: item["status"] for item in self.ask("POST", f"/work_pools/{pool}/workers/filter", {})}


def _is_under_way(seen: tuple[str, list[str]]) -> bool:
    state, lines = seen
    return state == "RUNNING" and any("second" in line for line in lines)
