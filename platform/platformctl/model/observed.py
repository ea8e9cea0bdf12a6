"""What is there now: values that observe reads from the engine and from Prefect, and that reconcile compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from platformctl.model.database import is_database_volume
from platformctl.model.deployment import Described, LiveDeployment

Status = Literal["created", "running", "stopping", "paused", "restarting", "removing", "exited", "dead"]
"""A container's, as the engine says it; what is `stopping` runs on and was told to stop."""
INTERRUPTED = "an interrupted command was stopping it"
"""Why an instance that was told to stop is replaced, if it is still wanted."""
Health = Literal["none", "starting", "healthy", "unhealthy"]


@dataclass(frozen=True, slots=True)
class Instance:
    """What runs a service of the platform, a container say, with the labels that it carries.

    restarts: how often its policy restarted it. stranded: why it would not start again, where that is so. drains: whether
    it is a worker that lets its flow runs finish when it is told to stop.
    """

    id: str
    name: str
    service: str
    role: str
    pool: str | None
    release: str
    image: str
    status: Status
    health: Health
    exit_code: int
    restarts: int
    started: datetime
    stranded: str = ""
    drains: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether it does what it is for: healthy, or without a health check running."""
        return self.status == "running" and self.health in ("healthy", "none")

    @property
    def is_alive(self) -> bool:
        """Whether its processes are there."""
        return self.status in ("running", "stopping", "paused")

    @property
    def is_completed(self) -> bool:
        """Whether it ran to its end, and well."""
        return self.status == "exited" and self.exit_code == 0 and self.started.year > 1


@dataclass(frozen=True, slots=True)
class Machine:
    """What the runtime holds of one platform, on the machine that carries it.

    volumes: name to creation. images: those of the wanted ones that are there. memory: bytes; None where that isn't known.
    processors: how many it has; None likewise.
    """

    instances: tuple[Instance, ...]
    volumes: Mapping[str, datetime]
    networks: tuple[str, ...]
    images: frozenset[str]
    memory: int | None = None
    processors: int | None = None

    @property
    def databases(self) -> Mapping[str, datetime]:
        """The volumes that hold the database, name to creation."""
        return {name: created for name, created in self.volumes.items() if is_database_volume(name)}

    def of_service(self, service: str) -> tuple[Instance, ...]:
        """Return the instances of a service."""
        return tuple(instance for instance in self.instances if instance.service == service)


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that was built for the platform, whether it is still wanted or not.

    reference: name and tag; its id where it has lost its tag. users: names of the containers that are made of it, whatever
    platform they are of.
    """

    reference: str
    created: datetime
    users: tuple[str, ...] = ()

    @property
    def repository(self) -> str:
        """Its name without the tag; empty where it has none."""
        name, found, _ = self.reference.rpartition(":")
        return name if found and name != "sha256" else ""


@dataclass(frozen=True, slots=True)
class ImageSize:
    """How many bytes an image has, and how many of them no other one shares: those that its removal frees at least."""

    total: int
    own: int


@dataclass(frozen=True, slots=True)
class WorkPool:
    """A work pool as Prefect has it.

    limit: concurrent flow runs. missing_variables: the job variables of warm workers that its template doesn't know.
    """

    name: str
    type: str
    limit: int | None
    description: str
    is_paused: bool
    missing_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as Prefect has it; its name is its instance's."""

    name: str
    pool: str
    is_online: bool
    last_heartbeat: datetime


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A flow run. since: when it took its present state, `state` by its id. worker: what started it, where anything did."""

    id: str
    name: str
    state_type: str
    state_name: str
    since: datetime
    pool: str | None
    worker: str | None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Prefect:
    """What Prefect's API holds. zombie_automations: ids of automations that an earlier platformctl had crash flow runs.

    described: image to the digest of what its flows were described from. former: the keys of deployments, where an earlier
    platformctl recorded them. references: what those of deployments stand for, such as `prefect.variables.NAME`.
    """

    version: str
    pools: Mapping[str, WorkPool]
    workers: tuple[Worker, ...]
    runs: tuple[FlowRun, ...]
    zombie_automations: tuple[str, ...] = ()
    deployments: tuple[LiveDeployment, ...] = ()
    described: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, str] | None = None
    references: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that reconcile looks at, at a time. prefect is None where no server answers. built: images, wanted or not.

    flows: image to what its flows are, where they were described by now.
    """

    time: datetime

    unwritten_secrets: tuple[str, ...]
    changed_files: tuple[str, ...]
    interrupted_drains: tuple[str, ...]
    machine: Machine
    prefect: Prefect | None
    built: tuple[BuiltImage, ...] = ()
    flows: Mapping[str, Described] = field(default_factory=dict)
