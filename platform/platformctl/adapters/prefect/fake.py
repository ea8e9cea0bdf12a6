"""Prefect in memory, for tests: the API and the client over the same dictionaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from platformctl.adapters.prefect.ports import Json, LogLine, PoolField
from platformctl.errors import ServerError
from platformctl.model.observed import FlowRun, Prefect, Worker, WorkPool

_FIELDS = {"concurrency_limit": "limit", "description": "description", "is_paused": "is_paused"}


@dataclass
class FakePrefect:
    """A server's objects. deployments: FLOW/DEPLOYMENT to its key. outcome: the state that a new run ends in.

    paused: the pools that were ever paused, in order.
    """

    url: str = "http://127.0.0.1:4200/api"
    is_up: bool = False
    version: str = "3.8.8"
    pools: dict[str, WorkPool] = field(default_factory=dict)
    worker_rows: dict[str, Worker] = field(default_factory=dict)
    flow_runs: dict[str, FlowRun] = field(default_factory=dict)
    deployments: dict[str, str] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)
    parameters: Json = field(default_factory=lambda: {"properties": {"source": {}}})
    outcome: str = "COMPLETED"
    messages: dict[str, str] = field(default_factory=dict)
    zombie_within: float | None = None
    paused: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Hold nothing, as with a new database."""
        for held in (self.pools, self.worker_rows, self.flow_runs, self.deployments, self.registered):
            held.clear()
        self.zombie_within = None

    def report_worker(self, pool: str, name: str) -> None:
        """Take a heartbeat of a worker."""
        self.worker_rows[name] = Worker(name, pool, is_online=True, last_heartbeat=datetime.now(UTC))

    def is_ready(self) -> bool:
        """Whether the server was started."""
        return self.is_up

    def observe(self) -> Prefect:
        """Return everything that is held; raises ServerError where the server wasn't started."""
        if not self.is_up:
            raise ServerError("Prefect's server doesn't answer.", remedy="Type `platformctl up`.")
        unfinished = tuple(self.runs(("RUNNING", "PENDING", "CANCELLING")))
        workers = tuple(self.worker_rows.values())
        return Prefect(self.version, dict(self.pools), workers, unfinished, dict(self.registered), self.zombie_within)

    def pool(self, name: str) -> WorkPool | None:
        """Return a pool."""
        return self.pools.get(name)

    def workers(self, pool: str) -> list[Worker]:
        """Return the workers of a pool."""
        return [worker for worker in self.worker_rows.values() if worker.pool == pool]

    def runs(self, states: Sequence[str], pool: str | None = None) -> list[FlowRun]:
        """Return flow runs by state."""
        return [run for run in self.flow_runs.values() if run.state_type in states and pool in (None, run.pool)]

    def run(self, id_: str) -> FlowRun:
        """Return a flow run; one that was just created ends with the second look at it."""
        run = self.flow_runs[id_]
        if run.state_type == "SCHEDULED":
            self._set(id_, "RUNNING")
        elif run.state_type == "RUNNING":
            self._set(id_, self.outcome)
        return run

    def run_message(self, id_: str) -> str:
        """Return the message of a run's state."""
        return self.messages.get(id_, "")

    def logs(self, run: str) -> list[LogLine]:
        """Return the one line of a run."""
        return [LogLine(f"{run}-1", self.flow_runs[run].since, 20, "hello from the flow")]

    def is_log_complete(self, run: str) -> bool:
        """Return that it is."""
        return run in self.flow_runs

    def deployment_names(self) -> list[str]:
        """Return the names of the deployments."""
        return sorted(self.deployments)

    def deployment(self, name: str) -> Json | None:
        """Return a deployment with its parameters."""
        if name not in self.deployments:
            return None
        pool = next(iter(self.pools), None)
        return {"id": name, "parameters": {}, "parameter_openapi_schema": self.parameters, "work_pool_name": pool}

    def create_run(self, deployment: str, parameters: Json) -> FlowRun:
        """Schedule a run."""
        id_ = f"run-{len(self.flow_runs) + 1}"
        self.messages[id_] = str(dict(parameters))
        self.flow_runs[id_] = FlowRun(
            id_, f"{deployment}-{id_}", "SCHEDULED", "Scheduled", datetime.now(UTC), None, None
        )
        return self.flow_runs[id_]

    def crash_run(self, id_: str, message: str) -> None:
        """Crash a run."""
        self._set(id_, "CRASHED", message)

    def cancel_run(self, id_: str, message: str) -> None:
        """Cancel a run."""
        self._set(id_, "CANCELLED", message)

    def requeue_run(self, id_: str) -> None:
        """Schedule a run anew."""
        self._set(id_, "SCHEDULED")

    def set_paused(self, pool: str, *, is_paused: bool) -> None:
        """Pause a pool or let it go on."""
        self.paused += [pool] if is_paused else []
        self.pools[pool] = replace(self.pools[pool], is_paused=is_paused)

    def delete_pool(self, name: str) -> None:
        """Delete a pool."""
        self.pools.pop(name, None)

    def delete_worker(self, pool: str, name: str) -> None:
        """Delete a worker's row."""
        if self.worker_rows.get(name, None) and self.worker_rows[name].pool == pool:
            del self.worker_rows[name]

    def create_pool(self, pool: WorkPool) -> None:
        """Create a pool."""
        self.pools[pool.name] = pool

    def update_pool(self, name: str, changes: Mapping[str, PoolField]) -> None:
        """Change fields of a pool."""
        fields = {_FIELDS[key]: value for key, value in changes.items()}
        self.pools[name] = replace(self.pools[name], **fields)  # type: ignore[arg-type]  # as Prefect's names say

    def add_job_variables(self, name: str, variables: tuple[str, ...]) -> None:
        """Have a pool lack some variables no more."""
        missing_variables = tuple(
            variable for variable in self.pools[name].missing_variables if variable not in variables
        )
        self.pools[name] = replace(self.pools[name], missing_variables=missing_variables)

    def set_zombie_automation(self, within: float) -> None:
        """Set the automation."""
        self.zombie_within = within

    def set_registered(self, digests: Mapping[str, str]) -> None:
        """Record digests."""
        self.registered.update(digests)

    def _set(self, id_: str, state: str, message: str = "") -> None:
        self.messages[id_] = message or self.messages.get(id_, "")
        self.flow_runs[id_] = replace(
            self.flow_runs[id_], state_type=state, state_name=state.capitalize(), since=datetime.now(UTC)
        )
