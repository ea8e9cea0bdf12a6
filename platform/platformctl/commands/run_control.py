"""`runs cancel` and `runs retry`: what is asked of flow runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.run_trouble import lacks_worker, read_surroundings
from platformctl.commands.runs import find_run
from platformctl.errors import RunError, UsageError
from platformctl.model.runs import FINAL, RunRecord
from platformctl.waiting import wait_until

_ENDS = 90.0
"""Seconds in which a run that is asked to end does, by far: its process is killed half a minute after it was told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A flow run of which something was asked, and the name of the state that it has then."""

    name: str
    id: str
    state: str


def cancel_runs(api: Api, given: Sequence[str], *, wait: bool = False) -> list[Asked]:
    """Cancel flow runs by name or id: what nobody runs ends at once, what runs is asked to. wait: until all have ended.

    Raises UsageError, with nothing done, where one isn't there or has ended otherwise; RunError where one doesn't end.
    """
    records = [find_run(api, each) for each in given]
    for record in records:
        if record.run.state_type in FINAL and record.run.state_type != "CANCELLED":
            found = f"{record.run.name} has ended: it is {record.run.state_name}."
            raise UsageError(found, remedy=f"Leave it out. `platformctl runs show {record.run.name}` tells of it.")
    around = read_surroundings(api, datetime.now(UTC))
    for record in records:
        _cancel(api, record, is_abandoned=lacks_worker(record, around))
    if wait:
        _await_end(api, [record.run.id for record in records])
    return [_asked(api, record) for record in records]


def retry_runs(api: Api, given: Sequence[str]) -> list[Asked]:
    """Schedule flow runs that have ended once more, by name or id; the results of their tasks are kept.

    Raises UsageError, with nothing done, where one isn't there, has not ended, or is of no deployment.
    """
    records = [find_run(api, each) for each in given]
    for record in records:
        _require_retriable(record)
    for record in records:
        api.history.retry(record.run.id)
    return [_asked(api, record) for record in records]


def _cancel(api: Api, record: RunRecord, *, is_abandoned: bool) -> None:
    """Prefect itself ends what has no process yet. is_abandoned: whether its worker is gone, so that nobody would end it."""
    run = record.run
    if run.state_type in FINAL:
        return
    state = run.state_type if run.state_type == "CANCELLING" else api.history.cancel(run.id)
    if state == "CANCELLING" and (is_abandoned or _has_waited(api, record)):
        api.cancel_run(run.id, "Cancelled by platformctl: nothing runs it.")


def _has_waited(api: Api, record: RunRecord) -> bool:
    """Whether a run was scheduled when it was asked to end, and no process of it waits until it tries again."""
    before = [state for state in api.history.states(record.run.id) if state.type != "CANCELLING"]
    return before[-1].type == "SCHEDULED" and not (before[-1].name == "AwaitingRetry" and record.retries_in_process)


def _await_end(api: Api, runs: Sequence[str]) -> None:
    def all_ended() -> bool | None:
        return all(api.run(run).state_type in FINAL for run in runs) or None

    if wait_until(all_ended, seconds=_ENDS, pause=0.5) is None:
        left = ", ".join(found.name for found in map(api.run, runs) if found.state_type not in FINAL)
        remedy = "`platformctl runs show NAME` tells of one, `platformctl logs` what its worker does."
        raise RunError(f"After {_ENDS:.0f} s these runs have not ended: {left}.", remedy=remedy)


def _require_retriable(record: RunRecord) -> None:
    name = record.run.name
    if record.run.state_type not in FINAL:
        remedy = f"Wait until it has ended, or end it: `platformctl runs cancel {name} --wait`."
        raise UsageError(f"{name} has not ended: it is {record.run.state_name}.", remedy=remedy)
    if not record.deployment:
        remedy = "Retry the run that started it; `platformctl run` starts a new one of a deployment."
        raise UsageError(f"{name} is a run of no deployment: Prefect can't start it again.", remedy=remedy)


def _asked(api: Api, record: RunRecord) -> Asked:
    return Asked(record.run.name, record.run.id, api.run(record.run.id).state_name)
