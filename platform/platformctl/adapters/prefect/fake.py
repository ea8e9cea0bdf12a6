"""Prefect in memory, for tests: the API and the client over the same dictionaries.

It is as strict as a server: tests/contract holds both to the same promises.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from platformctl.adapters.prefect.fake_definitions import FakeDefinitions, FakeDeployment
from platformctl.adapters.prefect.fake_history import FakeHistory
from platformctl.adapters.prefect.fake_timetables import FakeTimetables
from platformctl.adapters.prefect.ports import LogLine, PoolField, RunRequest
from platformctl.errors import ServerError
from platformctl.model.deployment import Json
from platformctl.model.job_templates import lacking_variables, own_template
from platformctl.model.observed import FlowRun, Prefect, Worker, WorkPool
from platformctl.model.runs import RunRecord
from prefect_warm_worker.contract import UNFINISHED, LostRunOutcome

_FIELDS = {"concurrency_limit": "limit", "description": "description", "is_paused": "is_paused"}
_FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_SETTLED = {
    LostRunOutcome.CRASH: "CRASHED",
    LostRunOutcome.CANCEL: "CANCELLED",
    LostRunOutcome.REQUEUE: "SCHEDULED",
}
_PROCESS = ("name", "labels", "env", "command", "stream_output", "working_dir")
"""The job variables that Prefect's own process workers know."""


@dataclass
class FakePrefect:
    """A server's objects. deployments: by FLOW/DEPLOYMENT. outcome: the state that a new run ends in.

    worker_rows: by name, or by POOL/NAME where another pool has the name. paused: the pools that were ever paused, in
    order. values: of variables and blocks, by `prefect.variables.NAME`. seconds_left: what a running flow run needs until it is
    Completed, if anybody waits for it. parents: sub-flow run to the run that started it. tasks: names of task runs by id.
    awaiting_retry: runs whose processes wait for that.
    """

    url: str = "http://127.0.0.1:4200/api"
    is_up: bool = False
    version: str = "3.9.1"
    pools: dict[str, WorkPool] = field(default_factory=dict)
    worker_rows: dict[str, Worker] = field(default_factory=dict)
    flow_runs: dict[str, FlowRun] = field(default_factory=dict)
    deployments: dict[str, FakeDeployment] = field(default_factory=dict)
    described: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] | None = None
    values: dict[str, object] = field(default_factory=dict)
    parameters: Json = field(default_factory=lambda: {"properties": {"source": {}}})
    outcome: str = "COMPLETED"
    messages: dict[str, str] = field(default_factory=dict)
    log_lines: list[LogLine] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    zombie_automations: tuple[str, ...] = ()
    awaiting_retry: set[str] = field(default_factory=set)
    paused: list[str] = field(default_factory=list)
    seconds_left: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Have a history of its own."""
        self.history = FakeHistory(self)
        self.timetables = FakeTimetables(self._check_up)

    def forget(self) -> None:
        """Hold nothing, as with a new database."""
        for held in (self.pools, self.worker_rows, self.flow_runs, self.deployments, self.described):
            held.clear()
        self.zombie_automations, self.former = (), None

    @property
    def definitions(self) -> FakeDefinitions:
        """What defines deployments."""
        self._check_up()
        return FakeDefinitions(self.deployments, self)

    def make_pool(self, name: str, type_: str) -> None:
        """Hold a pool as a worker of the type makes it, with its type's template."""
        known = own_template(type_) or {"variables": {"properties": {name: {} for name in _PROCESS}}}
        missing = lacking_variables(known)
        self.pools[name] = WorkPool(name, type_, None, "", is_paused=False, missing_variables=missing)

    def report_worker(self, pool: str, name: str) -> None:
        """Take a heartbeat of a worker, which makes its pool where that isn't there."""
        self._check_up()
        if pool not in self.pools:
            self.make_pool(pool, "warm")
        held = self.worker_rows.get(name)
        key = name if held is None or held.pool == pool else f"{pool}/{name}"
        self.worker_rows[key] = Worker(name, pool, is_online=True, last_heartbeat=datetime.now(UTC))

    def finish_runs(self, worker: str, *, within: float) -> None:
        """Complete the flow runs of a worker that need no more than some seconds."""
        for run in self.flow_runs.values():
            if (
                run.worker == worker
                and run.state_type == "RUNNING"
                and self.seconds_left.get(run.id, within + 1) <= within
            ):
                self.put(run.id, "COMPLETED")

    def is_ready(self) -> bool:
        """Whether the server was started."""
        return self.is_up

    def observe(self, references: Collection[str] = ()) -> Prefect:
        """Return everything that is held."""
        self._check_up()
        return Prefect(
            version=self.version,
            pools=dict(self.pools),
            workers=tuple(self.worker_rows.values()),
            runs=tuple(self.taken_runs()),
            zombie_automations=self.zombie_automations,
            deployments=tuple(held.seen(name) for name, held in self.deployments.items()),
            described=dict(self.described),
            former=self.former,
            references=self.definitions.values_of(references),
        )

    def pool(self, name: str) -> WorkPool | None:
        """Return a pool."""
        self._check_up()
        return self.pools.get(name)

    def workers(self, pool: str) -> list[Worker]:
        """Return the workers of a pool."""
        self._pool(pool)
        return [worker for worker in self.worker_rows.values() if worker.pool == pool]

    def runs(self, states: Sequence[str], pool: str | None = None) -> list[FlowRun]:
        """Return flow runs by state. Each look takes a second off what running ones need."""
        self._check_up()
        self._pass_second()
        return [run for run in self.flow_runs.values() if run.state_type in states and pool in (None, run.pool)]

    def taken_runs(self) -> list[FlowRun]:
        """Return the runs that workers have. Each look takes a second off what running ones need."""
        self._check_up()
        self._pass_second()
        return [run for run in self.flow_runs.values() if run.state_type in UNFINISHED or run.id in self.awaiting_retry]

    def run(self, id_: str) -> FlowRun:
        """Return a flow run; one that a worker may take ends with the second look at it."""
        run = self.look(id_)
        if run.state_type == "SCHEDULED" and self._is_taken(run):
            self.put(id_, "RUNNING")
        elif run.state_type == "RUNNING" and self._is_taken(run):
            self._finish(id_)
        return run

    def run_message(self, id_: str) -> str:
        """Return the message of a run's state."""
        self.look(id_)
        return self.messages.get(id_, "")

    def child_runs(self, parents: Collection[str]) -> list[FlowRun]:
        """Return the runs that some runs started."""
        self._check_up()
        return [self.flow_runs[id_] for id_, parent in self.parents.items() if parent in parents]

    def task_names(self, tasks: Collection[str]) -> dict[str, str]:
        """Return the names of those task runs that are held."""
        self._check_up()
        return {id_: name for id_, name in self.tasks.items() if id_ in tasks}

    def logs(self, runs: Collection[str]) -> list[LogLine]:
        """Return the lines of runs."""
        self._check_up()
        return sorted((line for line in self.log_lines if line.run in runs), key=lambda line: line.time)

    def deployment_names(self) -> list[str]:
        """Return the names of the deployments."""
        self._check_up()
        return sorted(self.deployments)

    def deployment(self, name: str) -> Json | None:
        """Return a deployment with its parameters."""
        self._check_up()
        if name not in self.deployments:
            return None
        pool = self.deployments[name].pool
        return {"id": name, "parameters": {}, "parameter_openapi_schema": self.parameters, "work_pool_name": pool}

    def create_run(self, deployment: str, wanted: RunRequest) -> FlowRun:
        """Schedule a run."""
        self._check_up()
        if deployment not in self.deployments:
            raise _refused(f"Deployment {deployment} not found")
        id_, pool = f"run-{len(self.flow_runs) + 1}", self.deployments[deployment].pool
        self.messages[id_] = str(dict(wanted.parameters))
        name = wanted.name or f"{deployment}-{id_}"
        run = FlowRun(id_, name, "SCHEDULED", "Scheduled", datetime.now(UTC), pool, None)
        self.flow_runs[id_] = run
        told = (dict(wanted.parameters), wanted.tags)
        flow, due = deployment.partition("/")[0], wanted.start or run.since
        self.history.told[id_] = RunRecord(run, flow, deployment, due=due, parameters=told[0], tags=told[1])
        return run

    def settle_run(self, id_: str, judged: str, outcome: LostRunOutcome, message: str) -> None:
        """Settle a run in the state that was judged; one that awaits its retry is offered to workers, and has ended nowhere."""
        run = self.look(id_)
        if run.state != judged:
            return
        if run.state_type == "SCHEDULED":
            self.awaiting_retry.discard(id_)
        elif run.state_type not in _FINAL:
            self.put(id_, _SETTLED[outcome], message)

    def cancel_run(self, id_: str, message: str) -> None:
        """Cancel a run."""
        self.put(id_, "CANCELLED", message)

    def set_paused(self, pool: str, *, is_paused: bool) -> None:
        """Pause a pool or let it go on."""
        self.pools[pool] = replace(self._pool(pool), is_paused=is_paused)
        self.paused += [pool] if is_paused else []

    def delete_pool(self, name: str) -> None:
        """Delete a pool with its workers."""
        self._check_up()
        self.pools.pop(name, None)
        self._forget_workers(lambda worker: worker.pool == name)

    def delete_worker(self, pool: str, name: str) -> None:
        """Delete a worker's row."""
        self._check_up()
        self._forget_workers(lambda worker: (worker.pool, worker.name) == (pool, name))

    def delete_automation(self, id_: str) -> None:
        """Delete an automation."""
        self._check_up()
        self.zombie_automations = tuple(held for held in self.zombie_automations if held != id_)

    def create_pool(self, pool: WorkPool) -> None:
        """Create a pool with its type's template; one that is there is brought to the same values."""
        self._check_up()
        if pool.name not in self.pools:
            self.make_pool(pool.name, pool.type)
            self.pools[pool.name] = replace(self.pools[pool.name], is_paused=pool.is_paused)
        self.update_pool(pool.name, {"concurrency_limit": pool.limit, "description": pool.description})

    def update_pool(self, name: str, changes: Mapping[str, PoolField]) -> None:
        """Change fields of a pool."""
        fields = {_FIELDS[key]: value for key, value in changes.items()}
        self.pools[name] = replace(self._pool(name), **fields)  # type: ignore[arg-type]  # as Prefect's names say

    def add_job_variables(self, name: str, variables: tuple[str, ...]) -> None:
        """Have a pool lack some variables no more."""
        missing = tuple(variable for variable in self._pool(name).missing_variables if variable not in variables)
        self.pools[name] = replace(self.pools[name], missing_variables=missing)

    def _check_up(self) -> None:
        if not self.is_up:
            raise ServerError(f"Prefect's server at {self.url} doesn't answer.", remedy="Type `platformctl up`.")

    def _pool(self, name: str) -> WorkPool:
        self._check_up()
        if name not in self.pools:
            raise _refused(f"Work pool {name} not found")
        return self.pools[name]

    def look(self, id_: str) -> FlowRun:
        """Return a flow run as it is."""
        self._check_up()
        if id_ not in self.flow_runs:
            raise _refused(f"Flow run {id_} not found")
        return self.flow_runs[id_]

    def _is_taken(self, run: FlowRun) -> bool:
        """Whether a worker is there to carry a run out."""
        pool = self.pools.get(run.pool or "")
        is_open = pool is not None and not pool.is_paused
        return is_open and any(worker.is_online and worker.pool == run.pool for worker in self.worker_rows.values())

    def _forget_workers(self, is_gone: Callable[[Worker], bool]) -> None:
        self.worker_rows = {key: worker for key, worker in self.worker_rows.items() if not is_gone(worker)}

    def _pass_second(self) -> None:
        for id_ in self.seconds_left:
            self.seconds_left[id_] -= 1
            if self.seconds_left[id_] <= 0 and self.flow_runs[id_].state_type == "RUNNING":
                self.put(id_, "COMPLETED")

    def _finish(self, id_: str) -> None:
        self.put(id_, self.outcome)
        now, last = datetime.now(UTC), f"Finished in state {self.outcome.capitalize()}()"
        self.log_lines.append(LogLine(f"{id_}-0", now, 20, "hello from the flow", id_))
        self.log_lines.append(LogLine(f"{id_}-1", now, 20, last, id_, ends_run=True))

    def put(self, id_: str, state: str, message: str = "") -> None:
        """Give a flow run a state."""
        run = self.look(id_)
        self.messages[id_] = message or self.messages.get(id_, "")
        self.flow_runs[id_] = replace(
            run, state_type=state, state_name=state.capitalize(), since=datetime.now(UTC), state=str(uuid4())
        )


def _refused(words: str) -> ServerError:
    return ServerError(f"Prefect's server answered 404: {words}", remedy="Correct what it names.")
