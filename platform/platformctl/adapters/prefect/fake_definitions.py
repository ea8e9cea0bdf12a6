"""Deployments of the Prefect in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from platformctl.errors import ServerError
from platformctl.model.deployment import MARK, SCHEMA, Json, LiveDeployment

_NUMBERS = count(1)
_GIVEN: Mapping[str, Any] = {
    "work_queue_name": "default",
    "parameters": {},
    "tags": [],
    "description": None,
    "version": None,
    "paused": False,
    "concurrency_limit": None,
    "concurrency_options": None,
    "job_variables": {},
    "enforce_parameter_schema": True,
    "pull_steps": None,
}
"""What a deployment has of which nothing was said."""


@dataclass
class FakeDeployment:
    """A deployment. key: entrypoint and name. pool: the work pool of its runs. schedules: by id. automations: of its triggers."""

    key: str
    pool: str | None
    fields: dict[str, Any] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    automations: list[Json] = field(default_factory=list)

    def seen(self, name: str) -> LiveDeployment:
        """Return what the API says of it. name: FLOW/DEPLOYMENT, which is its id too."""
        flow, _, own = name.partition("/")
        schema = dict(self.fields.get(SCHEMA) or {})
        mark = schema.pop(MARK, None)
        fields = {"entrypoint": self.key.rpartition("/")[0], "work_pool_name": self.pool, **_GIVEN, **self.fields}
        fields.pop(SCHEMA, None)
        schedules = tuple({"id": id_, **held} for id_, held in self.schedules.items())
        return LiveDeployment(name, flow, own, fields, schedules, schema, mark)

    def add(self, schedule: Json) -> None:
        """Hold a schedule, an rrule with the start that a server gives it."""
        when = dict(schedule["schedule"])
        if when.get("rrule", "DTSTART").find("DTSTART") < 0:
            when["rrule"] = f"DTSTART:20200101T000000\n{when['rrule']}"
        self.schedules[f"s{next(_NUMBERS)}"] = {
            "active": True,
            "parameters": {},
            "slug": None,
            **schedule,
            "schedule": when,
        }


class Records(Protocol):
    """Whoever holds the records."""

    described: dict[str, str]
    former: dict[str, str] | None
    pools: dict[str, Any]
    values: dict[str, object]


class FakeDefinitions:
    """What defines deployments, over a dictionary of them."""

    def __init__(self, held: dict[str, FakeDeployment], records: Records) -> None:
        self._held, self._records = held, records

    def create(self, flow: str, fields: Json) -> str:
        """Hold a deployment; raises ServerError where its pool isn't there."""
        told = dict(fields)
        name, schedules = f"{flow}/{told.pop('name')}", told.pop("schedules", ())
        if told["work_pool_name"] not in self._records.pools:
            said = f'Prefect\'s server answered 404: Work pool "{told["work_pool_name"]}" not found.'
            raise ServerError(said, remedy="Correct what it names.")
        key = f"{told['entrypoint']}/{name.partition('/')[2]}"
        self._held[name] = FakeDeployment(key, told["work_pool_name"], told)
        for schedule in schedules:
            self._held[name].add(schedule)
        return name

    def update(self, id_: str, fields: Json) -> None:
        """Change fields."""
        held = self._held[id_]
        held.fields.update(fields)
        held.pool = fields.get("work_pool_name", held.pool)
        held.key = f"{fields.get('entrypoint', held.key.rpartition('/')[0])}/{id_.partition('/')[2]}"

    def delete(self, id_: str) -> None:
        """Hold one no more."""
        self._held.pop(id_, None)

    def create_schedule(self, id_: str, schedule: Json) -> None:
        """Add a schedule."""
        self._held[id_].add(schedule)

    def update_schedule(self, id_: str, schedule: str, fields: Json) -> None:
        """Change a schedule."""
        self._held[id_].schedules[schedule].update(fields)

    def delete_schedule(self, id_: str, schedule: str) -> None:
        """Hold a schedule no more."""
        self._held[id_].schedules.pop(schedule, None)

    def set_automations(self, id_: str, automations: Sequence[Json]) -> None:
        """Hold the automations of one."""
        self._held[id_].automations = list(automations)

    def record_images(self, digests: Mapping[str, str]) -> None:
        """Hold a record."""
        self._records.described = dict(digests)

    def values_of(self, references: Collection[str]) -> Mapping[str, object]:
        """Return those that are held."""
        return {name: self._records.values[name] for name in references if name in self._records.values}

    def forget_former(self) -> None:
        """Hold the former record no more."""
        self._records.former = None
