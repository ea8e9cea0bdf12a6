"""The two Prefects that the contract is run against: the one in memory, and a server of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

from pydantic import SecretStr

from e2e.server import Server
from platformctl.adapters.prefect.api import PrefectApi
from platformctl.adapters.prefect.client import PrefectClient
from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.adapters.prefect.fake_definitions import FakeDeployment
from platformctl.adapters.prefect.ports import Api, Client, LogLine
from platformctl.model.observed import FlowRun
from platformctl.model.runs import RunRecord, TaskRecord
from platformctl.model.schedules import Schedule, Timetable

ENTRYPOINT = "flows/hello.py:hello"
MORNING = datetime(2026, 1, 1, 8, tzinfo=UTC)


class Subject(Protocol):
    """A Prefect that is asked through the ports, and that is filled by other means."""

    api: Api
    client: Client

    def deploy(self, name: str, pool: str) -> str:
        """Have a deployment of the flow `hello`; return its whole name."""

    def schedule(self, deployment: str, slug: str) -> str:
        """Have a deployment's schedule of each day at 6, Berlin time, with a parameter, and runs of it; return its id."""

    def begin(self, deployment: str, state: str, worker: str | None = None) -> str:
        """Have a flow run of a deployment in a state, as a worker's; return its id."""

    def report_worker(self, pool: str, name: str) -> None:
        """Take a heartbeat of a worker."""

    def make_pool(self, name: str, type_: str) -> None:
        """Have a pool as a worker of the type makes it: without what warm workers know."""

    def make_zombie_automation(self) -> None:
        """Have the automation of an earlier platformctl."""

    def begin_below(self, run: str) -> str:
        """Have a sub-flow run of a flow run; return its id."""

    def begin_task(self, run: str, name: str) -> str:
        """Have a task run of a flow run; return its id."""

    def write_log(self, run: str, lines: Mapping[int, str], task: str | None = None) -> None:
        """Have lines of a run's log, or of a task run's in it, minute to text."""


class FakeSubject:
    """The Prefect in memory."""

    def __init__(self) -> None:
        self._fake = FakePrefect(is_up=True)
        self.api: Api = self._fake
        self.client: Client = self._fake
        self._numbers = count()

    def deploy(self, name: str, pool: str) -> str:
        """Put a deployment."""
        self._fake.deployments[f"hello/{name}"] = FakeDeployment(f"{ENTRYPOINT}/{name}", pool)
        self._fake.timetables.held[f"hello/{name}"] = Timetable(f"hello/{name}", f"hello/{name}", False, ())
        return f"hello/{name}"

    def schedule(self, deployment: str, slug: str) -> str:
        """Put a schedule."""
        held, id_ = self._fake.timetables.held[deployment], f"{deployment}/{slug}"
        made = Schedule(
            id_, slug, "cron", "0 6 * * *", "Europe/Berlin", "", is_active=True, parameters={"source": "sea"}
        )
        self._fake.timetables.held[deployment] = replace(held, schedules=(*held.schedules, made))
        first = datetime.now(UTC).replace(hour=23) + timedelta(days=1)
        self._fake.timetables.times[id_] = [first + timedelta(days=day) for day in range(5)]
        return id_

    def begin(self, deployment: str, state: str, worker: str | None = None) -> str:
        """Put a flow run."""
        pool, id_ = self._fake.deployments[deployment].pool, f"begun-{next(self._numbers)}"
        run = self._fake.flow_runs[id_] = FlowRun(
            id_, id_, state, state.capitalize(), MORNING, pool, worker, str(uuid4())
        )
        self._fake.history.told[id_] = RunRecord(run, "hello", deployment, due=MORNING)
        return id_

    def report_worker(self, pool: str, name: str) -> None:
        """Put a worker."""
        self._fake.report_worker(pool, name)

    def make_pool(self, name: str, type_: str) -> None:
        """Put a pool."""
        self._fake.make_pool(name, type_)

    def make_zombie_automation(self) -> None:
        """Put the automation."""
        self._fake.zombie_automations = (str(next(self._numbers)),)

    def begin_below(self, run: str) -> str:
        """Put a flow run below another."""
        id_ = f"below-{next(self._numbers)}"
        self._fake.flow_runs[id_] = FlowRun(id_, id_, "RUNNING", "Running", MORNING, None, None)
        self._fake.parents[id_] = run
        task = self.begin_task(run, "below")
        self._fake.history.told[id_] = RunRecord(self._fake.flow_runs[id_], "below", due=MORNING, parent_task=task)
        return id_

    def begin_task(self, run: str, name: str) -> str:
        """Put a task run."""
        id_ = f"{run}-{name}-{next(self._numbers)}"
        self._fake.tasks[id_] = name
        times = (MORNING, None, None)
        self._fake.history.task_records.append(TaskRecord(id_, name, run, "PENDING", "Pending", "", *times))
        return id_

    def write_log(self, run: str, lines: Mapping[int, str], task: str | None = None) -> None:
        """Put lines of a log."""
        for minute, text in lines.items():
            ends_run = task is None and "Finished in state" in text
            self._fake.log_lines.append(
                LogLine(f"{run}-{task}-{minute}", _minute(minute), 20, text, run, task, ends_run=ends_run)
            )


class RealSubject:
    """A server at an address, with the password that it asks for."""

    def __init__(self, url: str, auth: str) -> None:
        """auth: `admin:password`."""
        self.api: Api = PrefectApi(url, SecretStr(auth))
        self.client: Client = PrefectClient(url, SecretStr(auth))
        self._ask = Server(url, auth.partition(":")[2]).ask
        self._numbers = count()

    def deploy(self, name: str, pool: str) -> str:
        """Register a deployment."""
        flow = self._ask("POST", "/flows/", {"name": "hello"})["id"]
        wanted = {"name": name, "flow_id": flow, "entrypoint": ENTRYPOINT, "work_pool_name": pool}
        self._ask("POST", "/deployments/", wanted)
        return f"hello/{name}"

    def schedule(self, deployment: str, slug: str) -> str:
        """Create a schedule, and have the server make its runs, as its scheduler would."""
        id_ = self._ask("GET", f"/deployments/name/{deployment}")["id"]
        held = {"cron": "0 6 * * *", "timezone": "Europe/Berlin"}
        wanted = {"schedule": held, "slug": slug, "active": True, "parameters": {"source": "sea"}}
        made = self._ask("POST", f"/deployments/{id_}/schedules", [wanted])
        self._ask("POST", f"/deployments/{id_}/schedule", {"min_runs": 5})
        return str(made[0]["id"])

    def begin(self, deployment: str, state: str, worker: str | None = None) -> str:
        """Create a flow run, and label it as a worker does."""
        id_ = self._ask("GET", f"/deployments/name/{deployment}")["id"]
        wanted = {"state": {"type": state, "name": state.capitalize()}}
        run = self._ask("POST", f"/deployments/{id_}/create_flow_run", wanted)["id"]
        if worker:
            self._ask("PATCH", f"/flow_runs/{run}/labels", {"prefect.worker.name": worker})
        return str(run)

    def report_worker(self, pool: str, name: str) -> None:
        """Send a heartbeat of a worker."""
        self._ask("POST", f"/work_pools/{pool}/workers/heartbeat", {"name": name, "heartbeat_interval_seconds": 30})

    def make_pool(self, name: str, type_: str) -> None:
        """Create a pool with the template that the server knows for its type."""
        views: Mapping[str, Mapping[str, Any]] = self._ask("GET", "/collections/views/aggregate-worker-metadata")
        (found,) = (types[type_] for types in views.values() if type_ in types)
        template = found["default_base_job_configuration"]
        self._ask("POST", "/work_pools/", {"name": name, "type": type_, "base_job_template": template})

    def make_zombie_automation(self) -> None:
        """Create an automation of its name; disabled, it is one all the same."""
        trigger = {"type": "event", "posture": "Reactive", "threshold": 1, "within": 10, "expect": ["nothing.happens"]}
        name = "platformctl: crash flow runs that stopped sending heartbeats"
        wanted = {"name": name, "enabled": False, "trigger": trigger, "actions": [{"type": "do-nothing"}]}
        self._ask("POST", "/automations/", wanted)

    def begin_below(self, run: str) -> str:
        """Create a flow run as Prefect's engine does: below a task run that stands for it in its parent."""
        flow, task = self._ask("POST", "/flows/", {"name": "below"})["id"], self.begin_task(run, "below")
        wanted = {"flow_id": flow, "parent_task_run_id": task, "state": {"type": "RUNNING", "name": "Running"}}
        return str(self._ask("POST", "/flow_runs/", wanted)["id"])

    def begin_task(self, run: str, name: str) -> str:
        """Create a task run."""
        wanted = {"name": name, "flow_run_id": run, "task_key": name, "dynamic_key": str(next(self._numbers))}
        return str(self._ask("POST", "/task_runs/", wanted)["id"])

    def write_log(self, run: str, lines: Mapping[int, str], task: str | None = None) -> None:
        """Send lines of a log."""
        logger = "prefect.task_runs" if task else "prefect.flow_runs"
        common: dict[str, Any] = {"name": logger, "level": 20, "flow_run_id": run, "task_run_id": task}
        self._ask("POST", "/logs/", [_line(minute, text) | common for minute, text in lines.items()])


def ids(runs: Sequence[FlowRun]) -> set[str]:
    """Return the ids of flow runs."""
    return {run.id for run in runs}


def _line(minute: int, text: str) -> dict[str, Any]:
    return {"message": text, "timestamp": _minute(minute).isoformat()}


def _minute(minute: int) -> datetime:
    return MORNING + timedelta(minutes=minute)
