"""The texts that a schedule is made of: each raises what is expected instead of a wrong one.

Prefect takes cron expressions as croniter does, and rrules as python-dateutil does. Both take time to import, for files with such
a schedule alone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from pydantic_core import PydanticCustomError

from platformctl.spec.problems import nearest_word

_LONGEST_RRULE = 6500
"""Characters; Prefect refuses a longer one."""

_DAY = 86400


def check_cron(value: str) -> str:
    """Return a cron expression that Prefect takes and that comes due some time."""
    from croniter import CroniterBadDateError, croniter  # noqa: PLC0415  # see above

    if not croniter.is_valid(value) or {"r", "h"} & set(value.lower().split()):
        raise PydanticCustomError("cron", 'a cron expression, such as "0 6 * * 1-5"')
    try:
        croniter(value, datetime.now(UTC)).get_next(datetime)
    except CroniterBadDateError:
        raise PydanticCustomError("cron", "a cron expression that comes due some time: this one never does") from None
    return value


def check_rrule(value: str) -> str:
    """Return an rrule that Prefect takes, as iCalendar has it (RFC 5545)."""
    from dateutil.rrule import rrulestr  # noqa: PLC0415  # see above

    if len(value) > _LONGEST_RRULE:
        raise PydanticCustomError("rrule", "an rrule of at most {longest} characters", {"longest": _LONGEST_RRULE})
    try:
        rrulestr(value)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise PydanticCustomError(
            "rrule", 'an rrule, such as "FREQ=WEEKLY;BYDAY=MO" ({reason})', {"reason": str(error)}
        ) from None
    return value


def check_zone(value: str) -> str:
    """Return the name of a time zone."""
    try:
        ZoneInfo(value)
    except (OSError, ValueError, LookupError):
        near = nearest_word(value, sorted(available_timezones()))
        said = f"; did you mean {near!r}?" if near else ', such as "Europe/Berlin"'
        raise PydanticCustomError("zone", "the name of a time zone{said}", {"said": said}) from None
    return value


def check_date(value: object) -> object:
    """Return the text of a date; YAML makes another thing of one without quotes, which Prefect doesn't take."""
    if not isinstance(value, str):
        raise PydanticCustomError("date", "a date in quotes, which YAML leaves as it is")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", 'a date and time, such as "2026-01-01T06:00:00+00:00"') from None
    return value


def find_surprise(schedule: Mapping[str, object], now: datetime) -> str | None:
    """Return what a schedule does that its reader may not expect when clocks change, a sentence; None where it does nothing such.

    schedule: as prefect.yaml has it, and checked. now: in UTC; the year from there is looked at.
    """
    zone, interval = schedule.get("timezone"), schedule.get("interval")
    if interval is not None and not zone and _seconds(interval) % _DAY == 0:
        return (
            "its days are counted in UTC: when clocks change, it begins an hour earlier or later by a local clock; "
            'a `timezone`, such as "Europe/Berlin", keeps it at its hour'
        )
    if isinstance(cron := schedule.get("cron"), str) and isinstance(zone, str):
        return _find_skipped(cron, ZoneInfo(zone), now)
    return None


def _find_skipped(cron: str, zone: ZoneInfo, now: datetime) -> str | None:
    """A time that the clocks of a zone skip. Prefect begins an hour earlier or later then; what comes twice it starts once."""
    from croniter import croniter  # noqa: PLC0415  # see above

    if croniter(cron).expanded[1] == ["*"]:
        return None  # each hour: one less is what its reader expects of such a day
    for begin, end in _skipped(zone, now):
        due = croniter(cron, begin - timedelta(seconds=1)).get_next(datetime)
        if due < end:
            return (
                f"it is due at {due:%H:%M} on {due:%Y-%m-%d}, which the clocks of {zone} skip: it begins an hour earlier or "
                "later on that day, as the version of Prefect has it"
            )
    return None


def _skipped(zone: ZoneInfo, now: datetime) -> list[tuple[datetime, datetime]]:
    """The spans of local time that the clocks of a zone skip in the year from now."""
    hours = [(now + timedelta(hours=hour)).astimezone(zone) for hour in range(366 * 24)]
    changes = [(before, after) for before, after in pairwise(hours) if before.utcoffset() != after.utcoffset()]
    return [span for span in (_span_of(*change) for change in changes) if span[0] < span[1]]


def _span_of(before: datetime, after: datetime) -> tuple[datetime, datetime]:
    """From the first local time that doesn't come, to the one that comes instead; the change is at a quarter of an hour."""
    quarters = [(before.astimezone(UTC) + timedelta(minutes=15 * each)).astimezone(after.tzinfo) for each in range(5)]
    last, first = next(pair for pair in pairwise(quarters) if pair[0].utcoffset() != pair[1].utcoffset())
    return last.replace(tzinfo=None) + timedelta(minutes=15), first.replace(tzinfo=None)


def _seconds(interval: object) -> float:
    from pydantic import TypeAdapter  # noqa: PLC0415  # as the model reads it

    return TypeAdapter(timedelta).validate_python(interval).total_seconds()
