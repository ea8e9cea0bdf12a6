"""What a deployment of prefect.yaml may hold, key by key, as Prefect's own `deploy` takes it.

Prefect ignores keys that it doesn't know, and takes some values apart in silence (`tags: etl` becomes e, t and l); here
they are refused.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from platformctl.spec.prefect_yaml.schedules import check_cron, check_date, check_rrule, check_zone

_NOT_IN_NAMES = "/%&><"


def _line(value: str) -> str:
    if not value or not value.isprintable():
        raise PydanticCustomError("line", "a text on one line")
    return value


def _name(value: str) -> str:
    if found := next((character for character in value if character in _NOT_IN_NAMES), None):
        raise PydanticCustomError(
            "name", "a name without {found}, which Prefect takes none with", {"found": repr(found)}
        )
    return value


def _as_limit(value: object) -> object:
    return value if isinstance(value, dict) else {"limit": value}


def _nothing(value: object) -> object:
    return value or None  # an older form of none, that `prefect init` wrote


def _no_levels(value: object) -> object:
    if value:
        raise PydanticCustomError("sla", "none: service levels are Prefect Cloud's alone")
    return value


Line = Annotated[str, AfterValidator(_line)]
Name = Annotated[Line, AfterValidator(_name)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Schedule(_Declared):
    """When a deployment's runs begin: one of a cron, an interval or an rrule."""

    cron: Annotated[str, AfterValidator(check_cron)] | None = None
    interval: Annotated[timedelta, Field(gt=timedelta(0), strict=False)] | None = None
    rrule: Annotated[str, AfterValidator(check_rrule)] | None = None
    timezone: Annotated[str, AfterValidator(check_zone)] | None = None
    anchor_date: Annotated[str, BeforeValidator(check_date)] | None = None
    active: bool | None = None
    parameters: dict[str, object] | None = None
    slug: str | None = None
    replaces: str | None = None
    day_or: bool | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> "Schedule":
        found = [name for name in ("cron", "interval", "rrule") if getattr(self, name) is not None]
        if len(found) != 1:
            what = f"a schedule with {' and '.join(found)}" if found else "a schedule without any"
            raise PydanticCustomError("kind", "one of cron, interval and rrule, and not {what}", {"what": what})
        return self


class ConcurrencyLimit(_Declared):
    """How many runs of a deployment there may be at once, and what becomes of more."""

    limit: Annotated[int, Field(ge=1)] | None = None
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] | None = None
    grace_period_seconds: Annotated[int, Field(ge=60, le=86400)] | None = None


class WorkPool(_Declared):
    """Where a deployment's runs go."""

    name: Line
    work_queue_name: str | None = None
    job_variables: dict[str, object] | None = None


class Declared(_Declared):
    """A deployment. What Prefect resolves itself (triggers, service levels, steps) is only looked at as a whole."""

    name: Name
    entrypoint: Line
    work_pool: WorkPool
    flow_name: str | None = None
    version: str | None = None
    version_type: str | None = None
    tags: list[str] | None = None
    description: str | None = None
    schedule: Annotated[Schedule | None, BeforeValidator(_nothing)] = None
    schedules: list[Schedule] | None = None
    paused: bool | None = None
    concurrency_limit: Annotated[ConcurrencyLimit, BeforeValidator(_as_limit)] | None = None
    parameters: dict[str, object] | None = None
    enforce_parameter_schema: bool | None = None
    triggers: list[dict[str, object]] | None = None
    sla: Annotated[object, AfterValidator(_no_levels)] = None
    build: object = None
    push: object = None
    pull: object = None

    @model_validator(mode="after")
    def _has_schedules_once(self) -> "Declared":
        if self.schedule is not None and self.schedules is not None:
            raise PydanticCustomError("twice", "schedules alone, and not `schedule` beside it")
        return self
