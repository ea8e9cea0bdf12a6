"""The schedules of the Prefect in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from platformctl.errors import ServerError
from platformctl.model.schedules import Schedule, Timetable


@dataclass
class FakeTimetables:
    """Schedules of the Prefect in memory. held: by the id of the deployment. times: by schedule, while it starts runs."""

    check_up: Callable[[], None]
    held: dict[str, Timetable] = field(default_factory=dict)
    times: dict[str, list[datetime]] = field(default_factory=dict)

    def all(self) -> list[Timetable]:
        """Return the deployments with their schedules."""
        self.check_up()
        return sorted(self.held.values(), key=lambda each: each.name)

    def upcoming(self, schedule: str, limit: int) -> list[datetime]:
        """Return when a schedule starts runs next."""
        owners = [held for held in self.all() if not held.is_paused]
        active = {each.id for held in owners for each in held.schedules if each.is_active}
        return self.times.get(schedule, [])[:limit] if schedule in active else []

    def pause(self, deployment: str, *, is_paused: bool) -> None:
        """Pause a deployment or let it go on."""
        self.held[deployment] = replace(self._owner(deployment), is_paused=is_paused)

    def activate(self, deployment: str, schedule: Schedule, *, is_active: bool) -> None:
        """Have a schedule start runs or none."""
        owner = self._owner(deployment)
        changed = [replace(each, is_active=is_active) if each.id == schedule.id else each for each in owner.schedules]
        self.held[deployment] = replace(owner, schedules=tuple(changed))

    def _owner(self, deployment: str) -> Timetable:
        self.check_up()
        if deployment not in self.held:
            raise ServerError("Prefect's server answered 404: Deployment not found", remedy="Correct what it names.")
        return self.held[deployment]
