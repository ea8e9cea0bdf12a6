"""What an execution tells while it goes on: events, for whoever displays them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformctl.plan.step import Step


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins; `number` of `total`, from 1."""

    step: "Step"
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step is done, after some seconds."""

    step: "Step"
    seconds: float


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step failed, after some seconds; the error follows as an exception."""

    step: "Step"
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happens within a step, or before the first one."""

    text: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that its user is to have read."""

    text: str


Event = StepStarted | StepFinished | StepFailed | Progress | Announcement
Report = Callable[[Event], None]
