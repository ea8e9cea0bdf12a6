"""The schedules of deployments in Prefect's API: what they are, when they start runs next, and pausing them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from platformctl.adapters.prefect.ports import Json
from platformctl.model.schedules import Kind, Schedule, Timetable

_FIRST = "DTSTART:20200101T000000\n"
"""What Prefect puts before an rrule that has no beginning."""


class PrefectTimetables:
    """The schedules of a server. ask, read_all: for a method, path and body; for all objects of a filter."""

    def __init__(
        self, ask: Callable[[str, str, Json | None], Any], read_all: Callable[[str, Json | None], list[Json]]
    ) -> None:
        self._ask, self._all = ask, read_all

    def all(self) -> list[Timetable]:
        """Return the deployments with their schedules, in the order of their names."""
        flows = {item["id"]: item["name"] for item in self._all("/flows/filter", None)}
        found = self._all("/deployments/filter", None)
        return sorted((_timetable(item, flows.get(item["flow_id"], "?")) for item in found), key=lambda each: each.name)

    def upcoming(self, schedule: str, limit: int) -> list[datetime]:
        """Return when a schedule starts runs next: of those that the server has made already."""
        runs = {
            "created_by": {"id_": [schedule]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "expected_start_time": {"after_": datetime.now(UTC).isoformat()},
        }
        wanted = {"flow_runs": runs, "sort": "EXPECTED_START_TIME_ASC", "limit": limit}
        found = self._ask("POST", "/flow_runs/filter", wanted)
        return [datetime.fromisoformat(item["expected_start_time"]) for item in found]

    def pause(self, deployment: str, *, is_paused: bool) -> None:
        """Have no schedule of a deployment start anything, or let the active ones. deployment: its id."""
        self._ask("PATCH", f"/deployments/{deployment}", {"paused": is_paused})

    def activate(self, deployment: str, schedule: Schedule, *, is_active: bool) -> None:
        """Have one schedule of a deployment start runs or none; its parameters are sent too, which the server drops otherwise."""
        wanted = {"active": is_active, "parameters": dict(schedule.parameters)}
        self._ask("PATCH", f"/deployments/{deployment}/schedules/{schedule.id}", wanted)


def _timetable(item: Json, flow: str) -> Timetable:
    in_order = sorted(item["schedules"], key=lambda each: (each["created"], each["id"]))
    schedules = tuple(_schedule(each) for each in in_order)
    return Timetable(item["id"], f"{flow}/{item['name']}", bool(item["paused"]), schedules)


def _schedule(item: Json) -> Schedule:
    held = item["schedule"]
    kind: Kind = "cron" if "cron" in held else "interval" if "interval" in held else "rrule"
    text = f"{float(held[kind]):g}" if kind == "interval" else str(held[kind]).removeprefix(_FIRST)
    zone, anchor = held.get("timezone") or "UTC", str(held.get("anchor_date") or "") if kind == "interval" else ""
    slug, parameters = item.get("slug") or "", item.get("parameters") or {}
    return Schedule(item["id"], slug, kind, text, zone, anchor, is_active=item["active"], parameters=parameters)
