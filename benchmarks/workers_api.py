"""What is asked of a Prefect server to measure its workers: deployments, runs, and the times that the server noted."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import requests
from urllib3.util import Retry

_PAGE = 200
_RETRY = Retry(8, backoff_factor=0.5, status_forcelist=[500, 502, 503], allowed_methods=None)
"""A server that has just been started, or that is about to be killed, answers so for a moment."""
_FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Run:
    """A flow run's times on the server's clock, in seconds since the epoch."""

    id: str
    state: str
    created: float
    started: float
    ended: float

    @property
    def latency(self) -> float:
        """Seconds from trigger to running."""
        return self.started - self.created


class Api:
    """A server's API."""

    def __init__(self, url: str, credentials: tuple[str, str]) -> None:
        self._url, self._session = url, requests.Session()
        self._session.auth = credentials
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=8, max_retries=_RETRY))

    def is_ready(self) -> bool:
        """Return whether it answers and reaches its database."""
        try:
            return self._session.get(f"{self._url}/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def read_online_workers(self, pool: str) -> list[str]:
        """Return the names of a pool's workers that are online; none where there is no pool."""
        answer = self._session.post(f"{self._url}/work_pools/{pool}/workers/filter", json={}, timeout=30)
        return [row["name"] for row in answer.json() if row["status"] == "ONLINE"] if answer.ok else []

    def deploy(self, entrypoint: str, pool: str) -> str:
        """Register a flow of the image, and return the deployment's id. entrypoint: `file.py:function`."""
        name = entrypoint.partition(":")[2]
        flow = self._post("flows/", {"name": name})["id"]
        step = {"prefect.deployments.steps.set_working_directory": {"directory": "/app"}}
        wanted = {"name": pool, "flow_id": flow, "entrypoint": entrypoint, "work_pool_name": pool, "pull_steps": [step]}
        return str(self._post("deployments/", wanted)["id"])

    def trigger(self, deployment: str, count: int = 1, parameters: Mapping[str, object] | None = None) -> str:
        """Schedule runs for now, and return the tag that they bear."""
        tag = uuid4().hex
        wanted = {"state": {"type": "SCHEDULED"}, "tags": [tag], "parameters": dict(parameters or {})}

        def create(_: int) -> None:
            self._post(f"deployments/{deployment}/create_flow_run", wanted)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(create, range(count)))
        return tag

    def count(self, tag: str, states: Sequence[str]) -> int:
        """Return how many of a tag's runs are in some states."""
        return self.count_any([tag], states)

    def count_any(self, tags: Sequence[str], states: Sequence[str]) -> int:
        """Return how many runs with one of some tags are in some states."""
        wanted = {"tags": {"any_": list(tags)}, "state": {"type": {"any_": list(states)}}}
        return int(self._post("flow_runs/count", {"flow_runs": wanted}))

    def wait_for(self, tag: str, count: int, states: Sequence[str], *, seconds: float, pause: float) -> None:
        """Wait until so many of a tag's runs are in some states; raises TimeoutError."""
        end = time.monotonic() + seconds
        while (found := self.count(tag, states)) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{found} of {count} flow runs are {' or '.join(states)} after {seconds:.0f} s")
            time.sleep(pause)

    def finish(self, tag: str, count: int, *, seconds: float = 1800, pause: float = 1.0) -> list[Run]:
        """Wait for a tag's runs to end, and return them; raises RuntimeError where one didn't complete."""
        self.wait_for(tag, count, _FINAL, seconds=seconds, pause=pause)
        runs = self.read(tag)
        if failed := [run for run in runs if run.state != "COMPLETED"]:
            raise RuntimeError(f"{len(failed)} of {count} flow runs did not complete: {failed[0]}")
        return runs

    def read(self, tag: str) -> list[Run]:
        """Return a tag's runs."""
        found: list[Run] = []
        while True:
            wanted = {"flow_runs": {"tags": {"all_": [tag]}}, "limit": _PAGE, "offset": len(found), "sort": "ID_DESC"}
            rows = self._post("flow_runs/filter", wanted)
            found += [_as_run(row) for row in rows]
            if len(rows) < _PAGE:
                return found

    def delete(self, tag: str) -> None:
        """Delete a tag's runs."""
        for run in self.read(tag):
            self._session.delete(f"{self._url}/flow_runs/{run.id}", timeout=30)

    def _post(self, path: str, content: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
        answer = self._session.post(f"{self._url}/{path}", json=content, timeout=60)
        answer.raise_for_status()
        return answer.json()


def _as_run(row: dict[str, Any]) -> Run:
    return Run(
        row["id"], row["state_type"], _seconds(row["created"]), _seconds(row["start_time"]), _seconds(row["end_time"])
    )


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
