"""When Prefect starts the flow runs of deployments by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["cron", "interval", "rrule"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of a deployment.

    text: what its kind has in prefect.yaml; of an interval the seconds. zone: UTC where none was given. anchor: what an interval is
    counted from; empty for the others.
    """

    id: str
    slug: str
    kind: Kind
    text: str
    zone: str
    anchor: str
    is_active: bool
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timetable:
    """A deployment, FLOW/DEPLOYMENT, with its schedules. is_paused: whether none of them starts anything."""

    id: str
    name: str
    is_paused: bool
    schedules: tuple[Schedule, ...]
