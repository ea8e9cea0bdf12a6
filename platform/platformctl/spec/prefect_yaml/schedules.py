"""The texts that a schedule is made of: each raises what is expected instead of a wrong one.

Prefect takes cron expressions as croniter does, and rrules as python-dateutil does. Both take time to import, for files with such
a schedule alone.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from pydantic_core import PydanticCustomError

from platformctl.spec.problems import nearest_word

_LONGEST_RRULE = 6500
"""Characters; Prefect refuses a longer one."""


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
