"""What a soak says of each flow run: whether it ended as it would have, or otherwise for a true reason, and how often it ran."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from soak_kinds import FINAL, Kind
from workers_chaos import Wrong

_STOPS = {"stop worker", "replace workers"}


@dataclass(slots=True)
class Execution:
    """One time that a flow's code was at work, by its journal: from when to when at least, and whether it came to its end."""

    first: float
    last: float
    is_through: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run. pool: the pool's name. started, ended: seconds since the epoch; 0 where it never did."""

    id: str
    kind: Kind
    pool: str
    state: str
    message: str
    worker: str
    started: float
    ended: float
    executions: Sequence[Execution] = field(default_factory=tuple)


def read_executions(journal: Iterable[str]) -> dict[str, list[Execution]]:
    """Return the executions of each run, in their order. journal: lines of `soak_flows/kinds.py`."""
    found: dict[str, dict[str, Execution]] = defaultdict(dict)
    for line in journal:
        time, run, execution, word = line.split()
        seen = found[run].setdefault(execution, Execution(float(time), float(time)))
        seen.last = max(seen.last, float(time))
        seen.is_through |= word == "end"
    return {run: sorted(seen.values(), key=lambda each: each.first) for run, seen in found.items()}


def outcome_of(run: Mapping[str, Any], kind: Kind, executions: Sequence[Execution]) -> Outcome:
    """Return what became of a run. run: a row of Prefect's API."""
    return Outcome(
        id=run["id"],
        kind=kind,
        pool=run["work_pool_name"],
        state=run["state_type"],
        message=run["state"]["message"] or "",
        worker=(run.get("labels") or {}).get("prefect.worker.name", ""),
        started=_seconds(run["start_time"]),
        ended=_seconds(run["end_time"]),
        executions=executions,
    )


def faults_of(run: Outcome, wrongs: Iterable[Wrong]) -> list[str]:
    """Return what is wrong with a run, in words. wrongs: what was done to the platform."""
    then = [
        wrong
        for wrong in wrongs
        if wrong.where == run.worker and run.started - 5 < wrong.ended and wrong.began < run.ended
    ]
    faults = [] if _has_true_end(run, then) else [f"{run.state}, not {run.kind.ends}: {run.message}"]
    return faults + _repeats(run)


def _has_true_end(run: Outcome, then: Sequence[Wrong]) -> bool:
    """Whether a run's state is its own, or what was done to its worker meanwhile explains it."""
    if run.state == run.kind.ends:
        return True
    if run.state not in FINAL:
        return False
    whats = {wrong.what for wrong in then}
    if run.state == "CANCELLED":
        return "was stopped" in run.message and bool(whats & _STOPS)
    deadly = {"kill run"} if run.pool == "reschedule" else {"kill run", "kill worker"}
    return run.state == "CRASHED" and bool(whats & deadly)


def _repeats(run: Outcome) -> list[str]:
    pairs = list(zip(run.executions, run.executions[1:], strict=False))
    faults = [
        f"ran twice at once for {before.last - after.first:.1f} s"
        for before, after in pairs
        if after.first < before.last
    ]
    if run.pool == "finish":
        faults += ["ran again after its end" for before, _ in pairs if before.is_through]
        if len(run.executions) > run.kind.works:
            faults.append(f"began {len(run.executions)} times, not {run.kind.works}")
    return faults


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
