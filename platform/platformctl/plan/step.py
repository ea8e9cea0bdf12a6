"""A plan: ordered steps, each with a resource, an action and a cause, and the one change that it makes.

`up`, `down` and a move change the platform only through steps. A change carries all that is needed to make it, makes one call on
the outside world or waits for one condition, and can be written down (`plan_json.py`). The kinds of changes stand in `resources/`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from platformctl.plan.world import World


class Action(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    START = "start"
    WAIT = "wait"
    PULL = "pull"
    BUILD = "build"
    MIGRATE = "migrate"
    DESCRIBE = "describe"
    RECORD = "record"
    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    CRASH = "crash"
    CANCEL = "cancel"
    REQUEUE = "requeue"
    REMOVE = "remove"


class Change(Protocol):
    """What one step changes, or waits for. Its fields are values that JSON can hold."""

    needs_client: ClassVar[bool]
    """Whether it goes through Prefect's own client, which takes seconds to load."""

    def apply(self, world: World) -> None:
        """Make the change; raises PlatformError."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan: what happens to which resource, and why."""

    resource: str
    action: Action
    cause: str
    change: Change

    def __str__(self) -> str:
        return f"{self.action:<8} {self.resource}: {self.cause}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are executed."""

    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps)

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.steps)


Steps = Iterable[Step]
