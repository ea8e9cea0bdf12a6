"""The schedules of deployments that Prefect has: matched by slug or by content, and changed one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.deployment import Json, LiveDeployment
from platformctl.plan.differences import differing, is_same, shown
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class CreateSchedule:
    """Add a schedule to a deployment. deployment: its id."""

    needs_client: ClassVar[bool] = False
    deployment: str
    schedule: Json

    def apply(self, world: World) -> None:
        """Create it in Prefect."""
        world.api.definitions.create_schedule(self.deployment, self.schedule)


@dataclass(frozen=True, slots=True)
class UpdateSchedule:
    """Change some fields of a schedule. deployment, schedule: ids."""

    needs_client: ClassVar[bool] = False
    deployment: str
    schedule: str
    fields: Json

    def apply(self, world: World) -> None:
        """Change them in Prefect."""
        world.api.definitions.update_schedule(self.deployment, self.schedule, self.fields)


@dataclass(frozen=True, slots=True)
class RemoveSchedule:
    """End a schedule. deployment, schedule: ids."""

    needs_client: ClassVar[bool] = False
    deployment: str
    schedule: str

    def apply(self, world: World) -> None:
        """Delete it in Prefect."""
        world.api.definitions.delete_schedule(self.deployment, self.schedule)


def schedule_steps(there: LiveDeployment, wanted: Sequence[Json] | None, *, had_some: bool) -> Iterator[Step]:
    """Bring the schedules of a deployment to what is declared: what is over goes first, so that a slug is free.

    wanted: None where none are declared, and those in Prefect are left alone. had_some: unless any came from here.
    """
    if wanted is None and not had_some:
        return
    found = _matched(there.schedules, wanted or ())
    kept = {held["id"] for _, held in found if held}
    resource = f"schedule of {there.whole_name}"
    for held in there.schedules:
        if held["id"] not in kept:
            cause = f"{_named(held)} is not in prefect.yaml"
            yield Step(resource, Action.REMOVE, cause, RemoveSchedule(there.id, held["id"]))
    for schedule, meant in found:
        new = {key: value for key, value in schedule.items() if key != "replaces"}
        if meant is None:
            yield Step(resource, Action.CREATE, f"{_named(schedule)} is new", CreateSchedule(there.id, new))
        elif changed := differing(meant, {"parameters": {}, **new}):
            cause = f"{_named(schedule)}: " + ", ".join(
                f"{k} {shown(a)} -> {shown(b)}" for k, (a, b) in changed.items()
            )
            fields = {key: value for key, (_, value) in changed.items()}
            yield Step(resource, Action.UPDATE, cause, UpdateSchedule(there.id, meant["id"], fields))


def _matched(there: Sequence[Json], wanted: Sequence[Json]) -> list[tuple[Json, Json | None]]:
    """Each wanted schedule with the one that is there, which is no other's."""
    free = list(there)
    found: list[tuple[Json, Json | None]] = []
    for schedule in wanted:
        meant = next((each for each in free if _is_meant(schedule, each)), None)
        free = [each for each in free if each is not meant]
        found.append((schedule, meant))
    return found


def _is_meant(schedule: Json, held: Json) -> bool:
    if slug := schedule.get("slug"):
        return bool(held.get("slug")) and held["slug"] in (slug, schedule.get("replaces"))
    same = is_same("parameters", held.get("parameters"), schedule.get("parameters"))
    return not held.get("slug") and same and is_same("schedule", held["schedule"], schedule["schedule"])


def _named(schedule: Json) -> str:
    when = schedule["schedule"]
    kind = next((key for key in ("cron", "interval", "rrule") if when.get(key) is not None), "schedule")
    value = f"{when[kind]:g} s" if kind == "interval" else shown(when.get(kind))
    return " ".join(part for part in (schedule.get("slug"), kind, value) if part)
