"""The values of platform.toml. Each field has one line that says what it changes; the JSON Schema is made from them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from platformctl.model.database import NEWEST_POSTGRES, postgres_major
from platformctl.model.releases import NEWEST
from platformctl.model.texts import (
    Address,
    DatabaseUrl,
    IndexUrl,
    Line,
    Memory,
    ModuleName,
    Name,
    Package,
    PostgresImage,
    PrefectVersion,
    Processors,
    Reference,
    Repository,
    RunMemory,
    Size,
    Text,
    VariableName,
    Words,
)

Value = str | int | bool | None
"""What a key of platform.toml can be set to by a command; None removes it."""
KeyPath = tuple[str, ...]
"""The keys that lead to a value of platform.toml, from the top."""
RuntimeName = Literal["auto", "docker", "local"]
WorkerType = Literal["warm", "process"]
WARM_KEYS = ("preload", "on_stop", "run_memory", "run_seconds")
"""Keys of a pool that only its warm workers know."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)  # built once, within Spec


class Platform(_Table):
    """The platform as a whole."""

    name: Name
    """Prefix of every container, volume and network."""
    prefect: PrefectVersion = NEWEST.newest
    """The version of Prefect for the server and the workers."""
    runtime: RuntimeName = "auto"
    """What the platform runs on: docker, local (processes and SQLite), or auto (docker where an engine answers, else local)."""


class Server(_Table):
    """Prefect's API, UI and background services."""

    host: Address = "127.0.0.1"
    """The address of this machine that the server listens on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 4200
    """The TCP port of this machine that the server listens on."""
    image: Reference = ""
    """The server's image; empty for the official one of the platform's version."""
    memory: Memory = "1g"
    """The memory limit of the server."""
    cpus: Processors | None = None
    """How many processors the server may use, such as 1.5; by default no limit."""
    keep_runs: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days that finished flow runs and their logs are kept."""
    keep_events: Annotated[int, Field(ge=1, le=3650)] = 7
    """Days that events are kept."""


class Database(_Table):
    """The database that holds everything Prefect knows: PostgreSQL, or SQLite on the local runtime."""

    url: DatabaseUrl = ""
    """A PostgreSQL of your own instead, "postgresql://USER:${VARIABLE}@HOST/NAME"; its password comes from the environment."""
    image: PostgresImage = f"postgres:{NEWEST_POSTGRES}"
    """The image of PostgreSQL, 14 to 18. `up` refuses a major version that can't read the data."""
    memory: Memory = "1g"
    """The memory limit of the database."""
    cpus: Processors | None = None
    """How many processors the database may use, such as 1.5; by default no limit."""

    @property
    def major(self) -> int:
        """The major of PostgreSQL that the image has."""
        return postgres_major(self.image) or NEWEST_POSTGRES


class Build(_Table):
    """What the builds of worker images need to reach package indexes."""

    index: IndexUrl = ""
    """URL of the package index, if not the public one. ${NAME} is taken from the environment: keep tokens there."""
    ca: Line = ""
    """File of CA certificates, in PEM, that the build trusts."""
    keep_images: Annotated[int, Field(ge=0, le=100)] = 2
    """How many replaced images of each name are kept. `platformctl prune` removes these too."""


class Image(_Table):
    """A worker image: Prefect, system packages, dependencies and flows."""

    base: Reference = ""
    """The image to build on; it must hold the platform's version of Prefect. Empty for the official one."""
    requirements: Line = ""
    """File with the dependencies: requirements.txt, pyproject.toml or uv.lock."""
    dependencies: Words = ()
    """Dependencies written here instead of in a file, such as ["pandas>=2"]."""
    system: Annotated[tuple[Package, ...], Field(strict=False)] = ()
    """Debian packages."""
    flows: Line = ""
    """Folder of flows that is copied into the image. The build imports them once, as a check."""
    repository: Repository = ""
    """Name of the image without a tag, with its registry if it is to be pushed; empty for PLATFORM/IMAGE."""


class Pool(_Table):
    """A work pool and the workers that serve it."""

    image: Line = ""
    """The image of the workers: a name under [images]. May be left out where there is only one."""
    workers: Annotated[int, Field(ge=0, le=200)] = 1
    """How many workers serve the pool."""
    type: WorkerType = "warm"
    """How a worker starts a flow run: warm, a fork of a process that has imported its libraries; process, a new interpreter."""
    limit: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The most flow runs at once in the pool; by default no limit."""
    concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """The most flow runs at once in each worker; by default no limit."""
    description: Text = ""
    """What Prefect's UI says about the pool."""
    paused: bool | None = None
    """Whether the pool is paused. If left out, it stays as it is in Prefect."""
    memory: Memory = "1g"
    """The memory limit of each worker and of the flow runs in it."""
    tmp: Size | None = None
    """The size of each worker's /tmp. It is a part of `memory`, so it must be smaller; by default a quarter of it."""
    cpus: Processors | None = None
    """How many processors each worker may use, such as 1.5; by default no limit."""
    internet: bool = True
    """Whether workers and flow runs reach more than Prefect's server: this machine, its network, the internet. On Docker only."""
    grace: Annotated[int, Field(ge=0, le=86_400)] = 60
    """Seconds that flow runs have to finish when their worker is told to stop."""
    batch: Annotated[int, Field(ge=1, le=200)] | None = None
    """How many workers are replaced at once. By default a quarter of warm workers, and all process workers."""
    preload: Annotated[tuple[ModuleName, ...], Field(strict=False)] | None = None
    """Modules that a warm worker imports before its flow runs start; by default, what the image's flows import."""
    on_stop: Literal["finish", "reschedule"] = "finish"
    """What happens to a warm worker's flow runs that still run after `grace`: finish cancels, reschedule starts them again."""
    run_memory: RunMemory | None = None
    """The memory limit of each flow run of a warm worker, less than `memory`. What it shares with other runs isn't counted."""
    run_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    """Seconds that a flow run of a warm worker may take; by default no limit."""
    environment: dict[VariableName, Text] = Field(default_factory=dict)
    """Environment variables of the workers and the flow runs in them; not for secrets."""


class Spec(_Table):
    """platform.toml, with its overlay merged in."""

    platform: Platform
    """The platform as a whole."""
    server: Server = Field(default_factory=Server)
    """Prefect's API, UI and background services."""
    database: Database = Field(default_factory=Database)
    """Prefect's database: PostgreSQL, or SQLite on the local runtime."""
    build: Build = Field(default_factory=Build)
    """What the builds of worker images need to reach package indexes."""
    images: dict[Name, Image] = Field(default_factory=dict)
    """Worker images by name."""
    pools: dict[Name, Pool] = Field(default_factory=dict)
    """Work pools by name."""
