"""What platformctl asks of Prefect: `Api` reads and starts, `Client` defines objects."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from platformctl.model.observed import FlowRun, Prefect, Worker, WorkPool
from platformctl.model.runs import RunQuery, RunRecord, RunState, TaskRecord
from platformctl.model.schedules import Schedule, Timetable
from prefect_warm_worker.contract import LostRunOutcome


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a flow run's log. level: as in `logging`. run, task: ids of who wrote it; task is None for the run itself.

    ends_run: whether it is the last one of its run, which says in which state that finished.
    """

    id: str
    time: datetime
    level: int
    text: str
    run: str
    task: str | None = None
    ends_run: bool = False


Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A flow run that is wanted. tags: beside those of its deployment. name: None for one of Prefect's. start: None for now."""

    parameters: Json = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    name: str | None = None
    start: datetime | None = None


PoolField = int | str | bool | None


class History(Protocol):
    """Flow runs, and what is asked of them. Every method raises ServerError where the server doesn't answer or refuses."""

    def find(self, query: RunQuery) -> list[RunRecord]:
        """Return flow runs, those that are due last at the beginning."""

    def count(self, query: RunQuery) -> int:
        """Return how many there are, whatever the query's limit."""

    def children(self, runs: Collection[str]) -> list[RunRecord]:
        """Return the flow runs that some runs started as their own. runs: their ids."""

    def states(self, run: str) -> list[RunState]:
        """Return the states that a flow run took, the oldest first. run: its id."""

    def tasks(self, runs: Collection[str]) -> list[TaskRecord]:
        """Return the task runs of flow runs. runs: their ids."""

    def cancel(self, run: str) -> str:
        """Ask a flow run to end, and return the type of the state that it has then."""

    def retry(self, run: str) -> None:
        """Schedule an ended flow run once more; raises RunError with the server's words where it may not be."""


class Definitions(Protocol):
    """What defines deployments, each by its id. Every method raises ServerError where the server doesn't answer or refuses."""

    def create(self, flow: str, fields: Json) -> str:
        """Create a deployment of a flow, or bring one of its name to the same; return its id."""

    def update(self, id_: str, fields: Json) -> None:
        """Change some fields of a deployment, named as Prefect names them, and no other."""

    def delete(self, id_: str) -> None:
        """Delete a deployment and the automations of its triggers; one that isn't there is fine."""

    def create_schedule(self, id_: str, schedule: Json) -> None:
        """Add a schedule to a deployment."""

    def update_schedule(self, id_: str, schedule: str, fields: Json) -> None:
        """Change some fields of a deployment's schedule."""

    def delete_schedule(self, id_: str, schedule: str) -> None:
        """End a schedule of a deployment; one that isn't there is fine."""

    def set_automations(self, id_: str, automations: Sequence[Json]) -> None:
        """Have some automations as those of a deployment's triggers, and no others."""

    def record_images(self, digests: Mapping[str, str]) -> None:
        """Record from what the flows of each image were described, image to digest."""

    def values_of(self, references: Collection[str]) -> Mapping[str, object]:
        """Return what references such as `prefect.variables.NAME` stand for; those to nothing are left out."""

    def forget_former(self) -> None:
        """Delete the record of an earlier platformctl; one that isn't there is fine."""


class Timetables(Protocol):
    """The schedules of deployments. Every method raises ServerError where the server doesn't answer or refuses."""

    def all(self) -> list[Timetable]:
        """Return the deployments with their schedules, in the order of their names."""

    def upcoming(self, schedule: str, limit: int) -> list[datetime]:
        """Return when a schedule starts runs next: of those that the server has made already. schedule: its id."""

    def pause(self, deployment: str, *, is_paused: bool) -> None:
        """Have no schedule of a deployment start anything, or let the active ones. deployment: its id."""

    def activate(self, deployment: str, schedule: Schedule, *, is_active: bool) -> None:
        """Have one schedule of a deployment start runs or none; nothing else of it changes."""


class Api(Protocol):
    """Prefect's API. Every method raises ServerError where the server doesn't answer or refuses."""

    url: str

    @property
    def history(self) -> History:
        """What is told and asked of single flow runs."""

    @property
    def timetables(self) -> Timetables:
        """The schedules of deployments."""

    def is_ready(self) -> bool:
        """Whether the server answers and reaches its database."""

    @property
    def definitions(self) -> Definitions:
        """What defines deployments."""

    def observe(self, references: Collection[str] = ()) -> Prefect:
        """Read everything that a plan compares. references: of deployments, such as `prefect.variables.NAME`."""

    def pool(self, name: str) -> WorkPool | None:
        """Return a pool; None where there is none."""

    def workers(self, pool: str) -> list[Worker]:
        """Return the workers of a pool, those that went away long ago among them."""

    def runs(self, states: Sequence[str], pool: str | None = None) -> list[FlowRun]:
        """Return the flow runs, of a pool or of all, whose state is of one of some types."""

    def taken_runs(self) -> list[FlowRun]:
        """Return the flow runs that workers have taken and not ended, those among them that await their retry."""

    def run(self, id_: str) -> FlowRun:
        """Return a flow run."""

    def run_message(self, id_: str) -> str:
        """Return what the state of a flow run says about itself; empty where it says nothing."""

    def child_runs(self, parents: Collection[str]) -> list[FlowRun]:
        """Return the flow runs that some runs started as their own, in their process or as runs of deployments."""

    def task_names(self, tasks: Collection[str]) -> dict[str, str]:
        """Return the names of task runs by id; one that was begun just now may be lacking."""

    def logs(self, runs: Collection[str]) -> list[LogLine]:
        """Return all log lines of runs, oldest first. Lines arrive in batches, and not in the order of their times."""

    def deployment_names(self) -> list[str]:
        """Return the names of all deployments, FLOW/DEPLOYMENT."""

    def deployment(self, name: str) -> Json | None:
        """Return the deployment FLOW/DEPLOYMENT; None where there is none."""

    def create_run(self, deployment: str, wanted: RunRequest) -> FlowRun:
        """Start a run of the deployment with an id; raises UsageError with the server's words for bad parameters."""

    def settle_run(self, id_: str, judged: str, outcome: LostRunOutcome, message: str) -> None:
        """Settle a flow run while its state is the one that was judged, by its id; another one is left alone."""

    def cancel_run(self, id_: str, message: str) -> None:
        """Force a flow run into the state Cancelled: one that has not begun, or whose process is gone."""

    def set_paused(self, pool: str, *, is_paused: bool) -> None:
        """Pause a pool, or let it go on; nothing else of it changes."""

    def delete_pool(self, name: str) -> None:
        """Delete a pool with its queues; one that isn't there is fine."""

    def delete_worker(self, pool: str, name: str) -> None:
        """Delete the row of a worker that won't come back, which Prefect would keep for ever."""

    def delete_automation(self, id_: str) -> None:
        """Delete an automation; one that isn't there is fine."""


class Client(Protocol):
    """Writes of objects that Prefect's own client knows how to make."""

    def create_pool(self, pool: WorkPool) -> None:
        """Create a pool; one that appeared in the meantime is brought to the same values, and keeps its template."""

    def update_pool(self, name: str, changes: Mapping[str, PoolField]) -> None:
        """Change some fields of a pool, named as Prefect names them, and no other."""

    def add_job_variables(self, name: str, variables: tuple[str, ...]) -> None:
        """Have a pool's job template know some variables of warm workers more; all else of it stays."""
