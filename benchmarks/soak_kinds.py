"""The kinds of flow runs that a soak has, and what they wait for: somebody who resumes or cancels them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from soak_platform import SoakPlatform

FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a flow does.

    ends: the type of the state that it ends in where nothing goes wrong. delay: seconds until it is due. works: how often its code
    begins where nothing goes wrong. awaits: the request that it waits for, and the type of the state in which it does.
    """

    name: str
    ends: str = "COMPLETED"
    delay: float = 0
    works: int = 1
    awaits: tuple[str, str] | None = None
    limit: int | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Kind("short"),
        Kind("long"),
        Kind("tasks"),
        Kind("subflows"),
        Kind("limited"),
        Kind("queued", limit=2),
        Kind("retried", works=2),
        Kind("suspended", works=2, awaits=("PAUSED", "resume")),
        Kind("paused", awaits=("PAUSED", "resume")),
        Kind("cancelled", ends="CANCELLED", awaits=("RUNNING", "set_state")),
        Kind("failing", ends="FAILED"),
        Kind("scheduled", delay=45),
    )
}
_BODIES: Mapping[str, dict[str, Any]] = {
    "resume": {"run_input": None},
    "set_state": {"state": {"type": "CANCELLING"}, "force": False},
}


def trigger(platform: SoakPlatform, kind: Kind, pool: str, tag: str) -> None:
    """Schedule a run of a kind, once, whatever is repeated."""
    deployment = platform.ask("GET", f"deployments/name/{kind.name}/{kind.name}-{pool}")["id"]
    due = datetime.now(UTC) + timedelta(seconds=kind.delay)
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}}
    wanted = {"state": state, "tags": [tag], "idempotency_key": uuid4().hex}
    platform.ask("POST", f"deployments/{deployment}/create_flow_run", wanted)


def read_runs(platform: SoakPlatform, tag: str) -> list[dict[str, Any]]:
    """Return the runs of a tag, without those within them."""
    found: list[dict[str, Any]] = []
    while True:
        wanted = {"flow_runs": {"tags": {"all_": [tag]}}, "limit": 200, "offset": len(found), "sort": "ID_DESC"}
        rows = platform.ask("POST", "flow_runs/filter", wanted)
        found += [row for row in rows if row["parent_task_run_id"] is None]
        if len(rows) < 200:
            return found


def kind_of(platform: SoakPlatform, run: Mapping[str, Any]) -> Kind:
    """Return the kind of a run."""
    return KINDS[platform.deployments[run["deployment_id"]].partition("-")[0]]


class Attendant(threading.Thread):
    """Resumes and cancels what waits for it, for as long as the body lasts."""

    def __init__(self, platform: SoakPlatform, tag: str) -> None:
        super().__init__(daemon=True)
        self._platform, self._tag = platform, tag
        self._done = threading.Event()

    def __enter__(self) -> "Attendant":
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._done.set()
        self.join(120)

    def run(self) -> None:
        """Look every two seconds."""
        while not self._done.wait(2):
            for run in read_runs(self._platform, self._tag):
                self._attend(run)

    def _attend(self, run: Mapping[str, Any]) -> None:
        awaited = kind_of(self._platform, run).awaits
        if awaited and run["state_type"] == awaited[0]:
            self._platform.ask("POST", f"flow_runs/{run['id']}/{awaited[1]}", _BODIES[awaited[1]])
