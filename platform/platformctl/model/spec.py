"""The values of platform.toml. Each field has one line that says what it changes; the JSON Schema is made from them."""

import ipaddress
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from platformctl.files import is_one_line
from platformctl.model.database import NEWEST_POSTGRES, OLDEST_POSTGRES, is_database_url, postgres_major
from platformctl.model.releases import HOLES, NEWEST, OLDEST_PREFECT, minor_of, parse_version

_PREFECTS = {
    "oldest": ".".join(map(str, OLDEST_PREFECT)),
    "minor": NEWEST.name,
    "newest": NEWEST.newest,
    "holes": HOLES,
}


NAME_RULE: Final = "a name of at most 30 lower-case letters, digits and hyphens that starts with a letter"


_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REPOSITORY = rf"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{{1,5}})?/)?{_COMPONENT}(?:/{_COMPONENT})*"
_REFERENCE = rf"{_REPOSITORY}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
"""The grammar of the names of images: github.com/distribution/reference."""


def is_name(value: str) -> bool:
    """Whether a value can name a platform, an image or a pool: it becomes a part of a DNS label."""
    return bool(re.fullmatch(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", value))


def _line(value: str) -> str:
    if not is_one_line(value):
        raise PydanticCustomError("line", "a text on one line, without control characters")
    return value


def _repository(value: str) -> str:
    if value and not re.fullmatch(_REPOSITORY, value):
        raise PydanticCustomError(
            "repository", 'the name of an image without a tag, such as "registry.example/acme/etl"'
        )
    return value


def _reference(value: str) -> str:
    if value and not re.fullmatch(_REFERENCE, value):
        raise PydanticCustomError("reference", 'the name of an image, such as "registry.example/acme/base:1"')
    return value


def _text(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError(
            "text", "a text without the character NUL, which neither a process nor a database can hold"
        )
    return value


def _index_url(value: str) -> str:
    if value and not re.fullmatch(r"([a-z][a-z0-9+.-]*://|\$\{\w+\})[!-~]*", value):
        raise PydanticCustomError("index_url", 'the URL of a package index, such as "https://index.example/simple"')
    return value


def _dns_label(value: str) -> str:
    if not is_name(value):
        raise PydanticCustomError("dns_label", NAME_RULE)
    return value


def _memory(value: str) -> str:
    if mebibytes(_size(value)) < 256:
        raise PydanticCustomError("memory", "at least 256m: Prefect itself needs that much")
    return value


def _run_memory(value: str) -> str:
    if mebibytes(_size(value)) < 64:
        raise PydanticCustomError("run_memory", "at least 64m: Prefect itself needs some of it in each flow run")
    return value


def _size(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*[mg]", value):
        raise PydanticCustomError("memory", 'a size in mebibytes or gibibytes, such as "512m" or "2g"')
    return value


def mebibytes(size: str) -> int:
    """Return how many mebibytes a size is, such as "512m" or "2g"."""
    return int(size[:-1]) * (1024 if size.endswith("g") else 1)


def _prefect_version(value: str) -> str:
    version, expected = parse_version(value), 'a full version from {oldest} to {minor}, such as "{newest}"'
    if version and version < OLDEST_PREFECT:
        raise PydanticCustomError("old_prefect", expected + ": older ones are open to attack ({holes})", _PREFECTS)
    if version is None or minor_of(value) is None:
        raise PydanticCustomError("prefect_version", expected, _PREFECTS)
    return value


def _postgres_image(value: str) -> str:
    major = postgres_major(_reference(value))
    if major is None or not OLDEST_POSTGRES <= major <= NEWEST_POSTGRES:
        raise PydanticCustomError(
            "postgres_image",
            'an image whose tag names PostgreSQL {oldest} to {newest}, such as "postgres:{newest}"',
            {"oldest": OLDEST_POSTGRES, "newest": NEWEST_POSTGRES},
        )
    return value


def _database_url(value: str) -> str:
    if value and not (is_one_line(value) and is_database_url(value)):
        raise PydanticCustomError(
            "database_url",
            'the URL of a PostgreSQL with its password left to a variable: "postgresql://USER:${VARIABLE}@HOST:PORT/NAME"',
        )
    return value


def _address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise PydanticCustomError("address", 'an IP address of this host, such as "127.0.0.1"') from error
    return value


def _package(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?", value):
        raise PydanticCustomError("package", 'the name of a Debian package, such as "git"')
    return value


def _module(value: str) -> str:
    if not all(part.isidentifier() for part in value.split(".")):
        raise PydanticCustomError("module", 'the name of a Python module, such as "pandas"')
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise PydanticCustomError("variable", "the name of an environment variable: letters, digits and underscores")
    return value


HOLDS_SECRETS = ("database_url", "index_url")
"""The errors of texts in which somebody may have written a password."""
Value = str | int | bool | None
"""What a key of platform.toml can be set to by a command; None removes it."""
KeyPath = tuple[str, ...]
"""The keys that lead to a value of platform.toml, from the top."""
RuntimeName = Literal["auto", "docker", "local"]
WorkerType = Literal["warm", "process"]
WARM_KEYS = ("preload", "on_stop", "run_memory", "run_seconds")
"""Keys of a pool that only its warm workers know."""
Name = Annotated[str, AfterValidator(_dns_label)]
Line = Annotated[str, AfterValidator(_line)]
Text = Annotated[str, AfterValidator(_text)]
Reference = Annotated[str, AfterValidator(_reference)]
Memory = Annotated[str, AfterValidator(_memory)]
Processors = Annotated[float, Field(ge=0.01, le=1024, allow_inf_nan=False)]
Words = Annotated[tuple[Line, ...], Field(strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)  # built once, within Spec


class Platform(_Table):
    """The platform as a whole."""

    name: Name
    """Prefix of every container, volume and network."""
    prefect: Annotated[str, AfterValidator(_prefect_version)] = NEWEST.newest
    """The version of Prefect for the server and the workers."""
    runtime: RuntimeName = "auto"
    """What the platform runs on: docker, local (processes and SQLite), or auto (docker where an engine answers, else local)."""


class Server(_Table):
    """Prefect's API, UI and background services."""

    host: Annotated[Line, AfterValidator(_address)] = "127.0.0.1"
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

    url: Annotated[str, AfterValidator(_database_url)] = ""
    """A PostgreSQL of your own instead, "postgresql://USER:${VARIABLE}@HOST/NAME"; its password comes from the environment."""
    image: Annotated[str, AfterValidator(_postgres_image)] = f"postgres:{NEWEST_POSTGRES}"
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

    index: Annotated[str, AfterValidator(_index_url)] = ""
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
    system: Annotated[tuple[Annotated[str, AfterValidator(_package)], ...], Field(strict=False)] = ()
    """Debian packages."""
    flows: Line = ""
    """Folder of flows that is copied into the image. The build imports them once, as a check."""
    repository: Annotated[str, AfterValidator(_repository)] = ""
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
    tmp: Annotated[str, AfterValidator(_size)] | None = None
    """The size of each worker's /tmp. It is a part of `memory`, so it must be smaller; by default a quarter of it."""
    cpus: Processors | None = None
    """How many processors each worker may use, such as 1.5; by default no limit."""
    internet: bool = True
    """Whether workers and flow runs reach more than Prefect's server: this machine, its network, the internet. On Docker only."""
    grace: Annotated[int, Field(ge=0, le=86_400)] = 60
    """Seconds that flow runs have to finish when their worker is told to stop."""
    batch: Annotated[int, Field(ge=1, le=200)] | None = None
    """How many workers are replaced at once. By default a quarter of warm workers, and all process workers."""
    preload: Annotated[tuple[Annotated[str, AfterValidator(_module)], ...], Field(strict=False)] | None = None
    """Modules that a warm worker imports before its flow runs start; by default, what the image's flows import."""
    on_stop: Literal["finish", "reschedule"] = "finish"
    """What happens to a warm worker's flow runs that still run after `grace`: finish cancels, reschedule starts them again."""
    run_memory: Annotated[str, AfterValidator(_run_memory)] | None = None
    """The memory limit of each flow run of a warm worker, less than `memory`. What it shares with other runs isn't counted."""
    run_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    """Seconds that a flow run of a warm worker may take; by default no limit."""
    environment: dict[Annotated[str, AfterValidator(_variable)], Text] = Field(default_factory=dict)
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
