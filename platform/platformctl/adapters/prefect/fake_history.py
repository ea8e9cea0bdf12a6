"""The history of the Prefect in memory."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from platformctl.errors import RunError
from platformctl.model.observed import FlowRun, Prefect
from platformctl.model.runs import FINAL, RunQuery, RunRecord, RunState, TaskRecord


class Held(Protocol):
    """The Prefect in memory, as far as its history needs it."""

    flow_runs: dict[str, FlowRun]
    messages: dict[str, str]

    def observe(self) -> Prefect:
        """Return everything that is held; raises ServerError where it isn't up."""

    def child_runs(self, parents: Collection[str]) -> list[FlowRun]:
        """Return the runs that some runs started."""

    def look(self, id_: str) -> FlowRun:
        """Return a flow run as it is."""

    def put(self, id_: str, state: str, message: str = "") -> None:
        """Give a flow run a state."""


@dataclass
class FakeHistory:
    """Flow runs of the Prefect in memory.

    told: by run, what is told of one beside what the fake itself holds; nothing for some. past: by run, the states before the
    present one. with_process: the runs whose process is there, in whatever state they are.
    """

    prefect: Held
    told: dict[str, RunRecord] = field(default_factory=dict)
    past: dict[str, list[RunState]] = field(default_factory=dict)
    task_records: list[TaskRecord] = field(default_factory=list)
    with_process: set[str] = field(default_factory=set)

    def find(self, query: RunQuery) -> list[RunRecord]:
        """Return flow runs."""
        return self._found(query)[: query.limit]

    def count(self, query: RunQuery) -> int:
        """Return how many there are."""
        return len(self._found(query))

    def children(self, runs: Collection[str]) -> list[RunRecord]:
        """Return the runs that some runs started."""
        return [self._record(run.id) for run in self.prefect.child_runs(runs)]

    def states(self, run: str) -> list[RunState]:
        """Return the states of a run."""
        found = self.prefect.look(run)
        message = self.prefect.messages.get(run, "")
        return [*self.past.get(run, ()), RunState(found.since, found.state_type, found.state_name, message)]

    def tasks(self, runs: Collection[str]) -> list[TaskRecord]:
        """Return the task runs of runs."""
        self.prefect.observe()
        return [task for task in self.task_records if task.run in runs]

    def cancel(self, run: str) -> str:
        """Ask a run to end."""
        found = self.prefect.look(run)
        if found.state_type in FINAL:
            return found.state_type
        self._remember(run)
        has_process = found.state_type in ("PENDING", "RUNNING") or run in self.with_process
        self.prefect.put(run, "CANCELLING" if has_process else "CANCELLED")
        return self.prefect.look(run).state_type

    def retry(self, run: str) -> None:
        """Schedule a run once more."""
        if not self._record(run).deployment:
            reason = "Cannot reschedule a run without an associated deployment."
            raise RunError(f"Prefect doesn't run it again: {reason}", remedy="`platformctl run` starts a new flow run.")
        self._remember(run)
        self.prefect.put(run, "SCHEDULED", "Tried again by platformctl")
        self.prefect.flow_runs[run] = replace(self.prefect.look(run), state_name="AwaitingRetry")

    def _remember(self, run: str) -> None:
        self.past.setdefault(run, []).extend(self.states(run)[-1:])

    def _found(self, query: RunQuery) -> list[RunRecord]:
        self.prefect.observe()
        found = [record for record in map(self._record, self.prefect.flow_runs) if _matches(record, query)]
        return sorted(found, key=lambda record: record.due or datetime.min.replace(tzinfo=UTC), reverse=True)

    def _record(self, id_: str) -> RunRecord:
        run = self.prefect.look(id_)
        told = self.told.get(id_) or RunRecord(run, "hello", due=run.since)
        return replace(told, run=run, message=self.prefect.messages.get(id_, ""))


def _matches(record: RunRecord, query: RunQuery) -> bool:
    run, is_top, is_deployed = record.run, record.parent_task is None, bool(record.deployment)
    checks = (
        not query.states or {run.state_type, run.state_name} & {*query.states},
        not query.ids or run.id in query.ids,
        not query.names or run.name in query.names,
        query.pool in (None, run.pool),
        query.deployment in (None, record.deployment),
        query.before is None or record.due is None or record.due <= query.before,
        query.after is None or (record.due is not None and record.due >= query.after),
        query.is_top in (None, is_top),
        query.is_deployed in (None, is_deployed),
    )
    return all(checks)
