"""`runs`: the flow runs of a platform, found by what they are, or one by its name or id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.run import find_deployment
from platformctl.commands.run_trouble import Trouble, find_trouble, read_surroundings
from platformctl.errors import UsageError
from platformctl.model.runs import RunQuery, RunRecord
from platformctl.spec.problems import nearest_word, unknown_name

_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_STATES = {
    **{name: (name.upper(),) for name in ("scheduled", "pending", "running", "paused", "cancelling")},
    **{name: (name.upper(),) for name in ("completed", "failed", "crashed", "cancelled")},
    "awaitingretry": ("AwaitingRetry",),
    "late": ("SCHEDULED",),
    "stuck": ("PENDING", "RUNNING", "CANCELLING"),
}
"""What may be asked for, and the types or names of states that this can be."""
_MOST = 200


@dataclass(frozen=True, slots=True)
class RunRow:
    """A flow run: what `runs ls -o json` prints, field for field.

    deployment: FLOW/DEPLOYMENT, or the flow alone. since: when it took its state. due: when it was or is to begin. trouble: late,
    stuck or empty. why: the cause of that.
    """

    id: str
    name: str
    state: str
    state_type: str
    deployment: str
    pool: str | None
    worker: str | None
    since: datetime
    due: datetime | None
    trouble: str
    why: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Flow runs, those that are due last at the beginning. upcoming: how many more are scheduled for later, and not shown."""

    rows: tuple[RunRow, ...]
    upcoming: int = 0


def list_runs(
    api: Api, *, states: Sequence[str] = (), pool: str | None = None, deployment: str | None = None, limit: int = 20
) -> Listing:
    """Return flow runs, but not those that a flow run started in its own process.

    What is scheduled for later is counted, unless `scheduled` is among the states. Raises UsageError for a name that isn't there.
    """
    now, wanted = datetime.now(UTC), [_known_state(each) for each in states]
    _check_names(api, pool, deployment)
    types = tuple(dict.fromkeys(type_ for each in wanted for type_ in _STATES[each]))
    has_later = "scheduled" in wanted
    marks = {"late", "stuck"} & {*wanted}
    query = RunQuery(types, pool=pool, deployment=deployment, limit=_MOST if marks else limit)
    found = _find(api, query if has_later else replace(query, before=now))
    around = read_surroundings(api, now)
    rows = [_row(record, find_trouble(record, around)) for record in found]
    rows = [row for row in rows if not wanted or {row.trouble, *_names_of(row)} & {*wanted}]
    upcoming = 0 if wanted else api.history.count(RunQuery(("SCHEDULED",), pool=pool, deployment=deployment, after=now))
    return Listing(tuple(rows[:limit]), upcoming)


def find_run(api: Api, given: str) -> RunRecord:
    """Return the flow run of a name or an id. Raises UsageError for none, with the nearest, and for several of the name."""
    is_id = _ID.fullmatch(given.lower()) is not None
    found = api.history.find(RunQuery(ids=(given.lower(),)) if is_id else RunQuery(names=(given,)))
    if len(found) == 1:
        return found[0]
    if found:
        lines = [f"  {each.run.id}  {each.run.state_name} since {_shown(each.run.since)}" for each in found]
        listed = "\n".join([f"{len(found)} flow runs are called {given!r}:", *lines])
        raise UsageError(listed, remedy="Give the id instead of the name.")
    near = nearest_word(given, [each.run.name for each in api.history.find(RunQuery())])
    remedy = "`platformctl runs ls` lists the last ones."
    raise unknown_name(f"There is no flow run {given!r}", given, [near] if near else [], remedy=remedy)


def run_names(api: Api) -> list[str]:
    """Return the names of the flow runs that are due last, for a shell to complete."""
    return [each.run.name for each in api.history.find(RunQuery(before=datetime.now(UTC)))]


def _known_state(text: str) -> str:
    name = text.lower().replace("_", "")
    if name not in _STATES:
        remedy = f"One of: {', '.join(_STATES)}."
        raise unknown_name(f"There is no state {text!r}", name, list(_STATES), remedy=remedy)
    return name


def _names_of(row: RunRow) -> tuple[str, str]:
    return row.state_type.lower(), row.state.lower()


def _check_names(api: Api, pool: str | None, deployment: str | None) -> None:
    if deployment:
        find_deployment(api, deployment)
    if pool and api.pool(pool) is None:
        remedy = "`platformctl pools ls` lists them."
        raise unknown_name(f"There is no work pool {pool!r}", pool, list(api.observe().pools), remedy=remedy)


def _find(api: Api, query: RunQuery) -> list[RunRecord]:
    """Runs that no other one started, and those of deployments that another one started."""
    kinds = (replace(query, is_top=True), replace(query, is_top=False, is_deployed=True))
    found = [record for kind in kinds for record in api.history.find(kind)]
    return sorted(found, key=lambda record: record.due or record.run.since, reverse=True)


def _row(record: RunRecord, trouble: Trouble | None) -> RunRow:
    run = record.run
    marked = (trouble.kind, trouble.why) if trouble else ("", "")
    name = record.deployment or record.flow
    return RunRow(
        run.id, run.name, run.state_name, run.state_type, name, run.pool, run.worker, run.since, record.due, *marked
    )


def _shown(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"
