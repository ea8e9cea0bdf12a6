"""A plan: ordered steps, each with a resource, an action and a cause, and the change that execute makes of it.

Nothing else changes the world. A change carries all that is needed to make it; execute decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from platformctl.model.observed import FlowRun, WorkPool
from platformctl.stack.bundle import Bundle, Service
from platformctl.stack.images.context import WorkerImage


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
    REGISTER = "register"
    RESUME = "resume"
    CRASH = "crash"
    REQUEUE = "requeue"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class _Change:
    needs_server: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class _ServerChange:
    needs_server: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class WriteSecrets(_Change):
    """Make the secrets that are missing."""


@dataclass(frozen=True, slots=True)
class WriteBundle(_Change):
    """Bring the rendered bundle to what is wanted."""

    bundle: Bundle


@dataclass(frozen=True, slots=True)
class PullImage(_Change):
    """Pull an image."""

    image: str


@dataclass(frozen=True, slots=True)
class BuildImage(_Change):
    """Build a worker image."""

    image: WorkerImage


@dataclass(frozen=True, slots=True)
class StartService(_Change):
    """Create, replace or start a service, and wait until it is ready: healthy, or for a one-shot completed."""

    service: Service
    recreate: bool = False


@dataclass(frozen=True, slots=True)
class CreatePool(_ServerChange):
    """Create a work pool."""

    pool: WorkPool


@dataclass(frozen=True, slots=True)
class UpdatePool(_ServerChange):
    """Change some fields of a work pool, named as Prefect names them."""

    name: str
    changes: Mapping[str, int | str | bool | None]


@dataclass(frozen=True, slots=True)
class AddJobVariables(_ServerChange):
    """Have a pool's job template know some variables of warm workers more; all else of it stays."""

    name: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResumeDrained(_ServerChange):
    """Let a pool go on that a drain paused and never resumed."""

    pool: str


@dataclass(frozen=True, slots=True)
class SetZombieAutomation(_ServerChange):
    """Have the server crash flow runs that stopped sending heartbeats. within: seconds."""

    within: float


@dataclass(frozen=True, slots=True)
class StopWorkers(_ServerChange):
    """Drain workers of a pool, and remove them. grace: seconds that their flow runs get to finish.

    is_final: whether they won't come back, and Prefect may forget them. drains: whether they drain by themselves when they
    are told to stop; for others the pool is paused. is_rescheduled: whether a flow run that is left over starts again.
    """

    pool: str
    workers: tuple[str, ...]
    grace: int
    is_final: bool = False
    drains: bool = False
    is_rescheduled: bool = False


@dataclass(frozen=True, slots=True)
class StartWorkers(_ServerChange):
    """Create, replace or start workers. replaced: what is to be stopped first, where there is something."""

    services: tuple[Service, ...]
    replaced: StopWorkers | None = None


@dataclass(frozen=True, slots=True)
class AwaitWorkers(_ServerChange):
    """Wait until workers are online in Prefect."""

    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class CrashRun(_ServerChange):
    """Mark a flow run Crashed whose process is gone."""

    run: FlowRun
    message: str


@dataclass(frozen=True, slots=True)
class RequeueRun(_ServerChange):
    """Schedule a flow run again whose worker went away before it began."""

    run: FlowRun


@dataclass(frozen=True, slots=True)
class RegisterDeployments(_ServerChange):
    """Have Prefect register the deployments of an image. digests: deployment key to what it is registered from."""

    image: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemoveInstances(_Change):
    """Stop and remove instances. grace: seconds until they are killed."""

    instances: tuple[str, ...]
    grace: int


@dataclass(frozen=True, slots=True)
class RemoveNetwork(_Change):
    """Remove a network."""

    name: str


@dataclass(frozen=True, slots=True)
class RemoveVolume(_Change):
    """Remove a volume and all that is in it."""

    name: str


Change = (
    WriteSecrets
    | WriteBundle
    | PullImage
    | BuildImage
    | StartService
    | CreatePool
    | UpdatePool
    | AddJobVariables
    | ResumeDrained
    | SetZombieAutomation
    | StopWorkers
    | StartWorkers
    | AwaitWorkers
    | CrashRun
    | RequeueRun
    | RegisterDeployments
    | RemoveInstances
    | RemoveNetwork
    | RemoveVolume
)


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

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.steps)

    @property
    def foundation(self) -> "Plan":
        """The steps that lead to a server that answers; what it holds can be compared only then."""
        return Plan(tuple(step for step in self.steps if not step.change.needs_server))
