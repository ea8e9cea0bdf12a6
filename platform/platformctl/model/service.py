"""A service: everything that decides how one container or process runs. Each runtime prints it in its own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["database", "migrate", "server", "worker", "deploy"]
Condition = Literal["service_healthy", "service_completed_successfully"]
Restart = Literal["no", "unless-stopped"]


@dataclass(frozen=True, slots=True)
class Mount:
    """What a service finds at a path. source: a volume's name, or for a bind a file beside the bundle; empty for tmpfs.

    options: of a tmpfs, as `mount` takes them.
    """

    kind: Literal["volume", "bind", "tmpfs"]
    target: str
    source: str = ""
    is_read_only: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A file of the platform's secrets, and the name under which the service finds it."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the platform. Compose can't change one that is in use: another definition needs another name.

    is_internal: whether it doesn't lead beyond this machine. excludes_host: whether this machine has no address on it either.
    """

    name: str
    is_internal: bool = False
    excludes_host: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What is run to see whether a service works. Times in seconds; `starting` is how long failures don't count."""

    command: tuple[str, ...]
    starting: float
    starting_interval: float
    interval: float = 10
    timeout: float = 5
    retries: int = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service may use.

    memory, temporary, shared_memory: sizes such as "512m", of all that it has in memory and of it each tmpfs. cpus: processors;
    None for all. log: a size, kept that many times.
    """

    memory: str
    temporary: str
    cpus: float | None = None
    pids: int = 2048
    shared_memory: str = ""
    log: str = "10m"
    logs: int = 5


@dataclass(frozen=True, slots=True)
class Isolation:
    """What a service can't do. user: empty for the image's own. dropped: kernel capabilities. options: as Docker names them."""

    user: str = ""
    is_read_only: bool = True
    dropped: tuple[str, ...] = ("ALL",)
    options: tuple[str, ...] = ("no-new-privileges:true",)


STOP_SECONDS: Mapping[Role, int] = {"database": 60, "server": 30}
"""Seconds until what doesn't end is killed, where they are no pool's; the database needs them to write what it holds."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a platform.

    instance: the name of what runs it, and of its worker in Prefect. image: a reference. command: program and arguments;
    empty for the image's own. needs: a service to the condition that it must meet first. ports: HOST:PORT:PORT each.
    restart: what becomes of it when it ends by itself. stop_seconds: until it is killed. drains: whether it is a worker that
    lets its flow runs finish when it is told to stop. waits_for_server: whether it does so by itself, and may start before it.
    is_spare: whether it runs only while the pool's one worker is replaced. release: digest of all the rest; an instance of
    another one is replaced.
    """

    name: str
    instance: str
    role: Role
    image: str
    limits: Limits
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: tuple[str, ...] = ()
    needs: Mapping[str, Condition] = field(default_factory=dict)
    health: HealthCheck | None = None
    isolation: Isolation = field(default_factory=Isolation)
    restart: Restart = "unless-stopped"
    stop_seconds: int = 10
    stop_signal: str = ""
    pool: str | None = None
    drains: bool = False
    waits_for_server: bool = False
    is_spare: bool = False
    release: str = ""

    @property
    def is_oneshot(self) -> bool:
        """Whether it runs to its end and is not restarted."""
        return self.restart == "no"
