"""`schedules`: when deployments start runs by themselves, and pausing that in Prefect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.moments import short_span
from platformctl.errors import UsageError
from platformctl.model.schedules import Schedule, Timetable
from platformctl.spec.problems import unknown_name

_SECONDS = {86400: "d", 3600: "h", 60: "m", 1: "s"}


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule: what `schedules -o json` prints, field for field.

    schedule: its slug, or where it has none its number from 1. when: as prefect.yaml has it. state: active, paused, or deployment
    paused. next: the times that the server has made runs for, in the schedule's zone.
    """

    deployment: str
    schedule: str
    when: str
    zone: str
    state: str
    parameters: Mapping[str, object]
    next: tuple[datetime, ...]


def list_schedules(api: Api, deployment: str | None, *, count: int) -> list[ScheduleRow]:
    """Return the schedules of a deployment, or of all; raises UsageError for none of the name. count: of the next times."""
    found = [_find(api, deployment)] if deployment else api.timetables.all()
    return [
        _row(api, timetable, number, schedule, count)
        for timetable in found
        for number, schedule in enumerate(timetable.schedules, 1)
    ]


def set_paused(api: Api, deployment: str, slug: str | None, *, is_paused: bool) -> str:
    """Pause a deployment's schedules, or let them go on; one alone by its slug or number. Return what is so now, a sentence.

    Raises UsageError for a name that isn't there.
    """
    found = _find(api, deployment)
    if not found.schedules:
        raise UsageError(
            f"{deployment} has no schedules.", remedy="Declare some in prefect.yaml, then `platformctl up`."
        )
    if slug is None:
        api.timetables.pause(found.id, is_paused=is_paused)
        return _say_all(found, is_paused=is_paused)
    schedule = _choose(found, slug)
    api.timetables.activate(found.id, schedule, is_active=not is_paused)
    after = "; but all of the deployment is paused" if found.is_paused and not is_paused else ""
    return f"The schedule {slug} of {deployment} is {'paused' if is_paused else 'active'}{after}."


def _say_all(found: Timetable, *, is_paused: bool) -> str:
    if is_paused:
        return f"{found.name} is paused: its schedules start no runs."
    idle = [_name(each, number) for number, each in enumerate(found.schedules, 1) if not each.is_active]
    stay = "stays paused by itself" if len(idle) == 1 else "stay paused by themselves"
    own = f"; {', '.join(idle)} {stay}: `--slug {idle[0]}` resumes one" if idle else ""
    return f"{found.name} is resumed: its schedules start runs{own}."


def _find(api: Api, name: str) -> Timetable:
    there = {each.name: each for each in api.timetables.all()}
    if name not in there:
        remedy = "It must be FLOW/DEPLOYMENT; `platformctl up` registers what prefect.yaml declares."
        raise unknown_name(f"There is no deployment {name!r}", name, list(there), remedy=remedy)
    return there[name]


def _choose(found: Timetable, slug: str) -> Schedule:
    names = {_name(each, number): each for number, each in enumerate(found.schedules, 1)}
    if slug not in names:
        remedy = f"`platformctl schedules {found.name}` lists them."
        raise unknown_name(f"{found.name} has no schedule {slug!r}", slug, list(names), remedy=remedy)
    return names[slug]


def _name(schedule: Schedule, number: int) -> str:
    return schedule.slug or str(number)


def _row(api: Api, timetable: Timetable, number: int, schedule: Schedule, count: int) -> ScheduleRow:
    state = "deployment paused" if timetable.is_paused else "active" if schedule.is_active else "paused"
    zone = ZoneInfo(schedule.zone)
    times = api.timetables.upcoming(schedule.id, count) if state == "active" else []
    local = tuple(time.astimezone(zone) for time in times)
    name = _name(schedule, number)
    return ScheduleRow(timetable.name, name, _when(schedule), schedule.zone, state, schedule.parameters, local)


def _when(schedule: Schedule) -> str:
    if schedule.kind != "interval":
        return f"{schedule.kind} {schedule.text}"
    seconds = float(schedule.text)
    size = next((size for size in _SECONDS if seconds >= size and seconds % size == 0), 1)
    return f"interval {seconds / size:g}{_SECONDS[size]}"


def time_until(row: ScheduleRow, now: datetime) -> str:
    """Return how long it is until a schedule starts its next run; empty where no run is there."""
    return f"in {short_span(row.next[0] - now)}" if row.next else ""
