"""Points in time as they are typed, and spans of time as they are shown."""

import re
from datetime import datetime, time, timedelta

from platformctl.errors import UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def read_start(span: str | None, at: str | None, now: datetime) -> datetime | None:
    """Return when a flow run is to begin, with a zone; None for at once.

    span: `90s`, `10m`, `1h30m`. at: a date and time in ISO 8601, or a time of day; without a zone it is a local one. now: with
    the local zone. Raises UsageError for another text, for a time that is past, and for both at once.
    """
    if span is not None and at is not None:
        raise UsageError("--in and --at both say when the run begins.", remedy="Give one of them.")
    if span is not None:
        return now + _read_span(span)
    return None if at is None else _read_moment(at, now)


def _read_span(text: str) -> timedelta:
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"--in {text!r} is no span of time.", remedy="Write it as 90s, 10m, 2h, 1d or 1h30m.")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    except OverflowError as error:
        raise UsageError(f"--in {text!r} is too long.", remedy="Write it as 90s, 10m, 2h or 1d.") from error


def _read_moment(text: str, now: datetime) -> datetime:
    found = _parse(text, now)
    if found <= now:
        remedy = "Give a later time, or leave --at out to begin at once."
        raise UsageError(f"--at {text!r} is past: it is {now:%Y-%m-%dT%H:%M:%S%z} now.", remedy=remedy)
    return found


def _parse(text: str, now: datetime) -> datetime:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        clock = None
    try:
        found = datetime.combine(now.date(), clock) if clock else datetime.fromisoformat(text)
        return found if found.tzinfo else found.astimezone()
    except (ValueError, OverflowError, OSError) as error:
        remedy = 'Write it as "2026-01-31T18:00", "2026-01-31T18:00+01:00" or "18:00"; without a zone it is local time.'
        raise UsageError(f"--at {text!r} is no time.", remedy=remedy) from error


def short_span(span: timedelta) -> str:
    """Return a span in its largest unit, such as `3m`; below a minute with tenths of a second."""
    seconds = max(span.total_seconds(), 0.0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:.1f}s" if seconds < 10 else f"{int(seconds)}s"
