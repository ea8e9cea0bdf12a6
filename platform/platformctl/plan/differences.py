"""What differs between the fields of a deployment, as Prefect has them and as they are declared, and how that is shown."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_START = "DTSTART:20200101T000000\n"
"""What Prefect puts before an rrule without a start."""
_LONG = 60
"""Characters of a value in a plan."""


def differing(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return field to its old and new value; a field that isn't wanted is left alone."""
    return {key: (there.get(key), value) for key, value in wanted.items() if not is_same(key, there.get(key), value)}


def is_same(key: str, old: Any, new: Any) -> bool:  # noqa: ANN401  # JSON
    """Whether a field has the value that is wanted, as Prefect takes it."""
    if key == "tags":
        return set(old or ()) == set(new)
    if key == "concurrency_options" and old and new:
        return all(old.get(name) == value for name, value in new.items())
    if key == "schedule":
        there = _whole_schedule(old or {})
        return all(_is_same_time(name, there.get(name), value) for name, value in _whole_schedule(new).items())
    return _canonical(old) == _canonical(new)


def _canonical(value: Any) -> str:  # noqa: ANN401  # JSON
    """JSON, in which true isn't 1; what is empty is the same as nothing."""
    return json.dumps(None if value in ("", [], {}) else value, sort_keys=True)


def _whole_schedule(schedule: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule with what Prefect takes for granted; of an interval the time zone follows from its anchor."""
    granted = {} if "interval" in schedule else {"timezone": None}
    return {**granted, **({"day_or": True} if "cron" in schedule else {}), **schedule}


def _is_same_time(name: str, old: Any, new: Any) -> bool:  # noqa: ANN401  # JSON
    """Prefect writes dates in its own way, and gives an rrule that has no start one."""
    if name == "anchor_date" and old and new:
        return _instant(old) == _instant(new)
    if name == "rrule" and old and new:
        return _without_start(old) == _without_start(new)
    return bool(old == new) or (name == "timezone" and {old, new} <= {None, "UTC"})


def _without_start(rrule: str) -> str:
    return rrule.removeprefix(_START).removeprefix("RRULE:")


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(value: Any) -> str:  # noqa: ANN401  # JSON
    """Return a value for a line of a plan."""
    if value in (None, "", [], {}):
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _LONG else f"{line[:_LONG]}..."
