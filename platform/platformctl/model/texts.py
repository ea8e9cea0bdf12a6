"""The texts and numbers that platform.toml may hold, each a type that says what is wrong with another one."""

import ipaddress
import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field
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
Name = Annotated[str, AfterValidator(_dns_label)]
Line = Annotated[str, AfterValidator(_line)]
Text = Annotated[str, AfterValidator(_text)]
Reference = Annotated[str, AfterValidator(_reference)]
Memory = Annotated[str, AfterValidator(_memory)]
Processors = Annotated[float, Field(ge=0.01, le=1024, allow_inf_nan=False)]
Words = Annotated[tuple[Line, ...], Field(strict=False)]
Address = Annotated[Line, AfterValidator(_address)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
IndexUrl = Annotated[str, AfterValidator(_index_url)]
ModuleName = Annotated[str, AfterValidator(_module)]
Package = Annotated[str, AfterValidator(_package)]
PostgresImage = Annotated[str, AfterValidator(_postgres_image)]
PrefectVersion = Annotated[str, AfterValidator(_prefect_version)]
Repository = Annotated[str, AfterValidator(_repository)]
RunMemory = Annotated[str, AfterValidator(_run_memory)]
Size = Annotated[str, AfterValidator(_size)]
VariableName = Annotated[str, AfterValidator(_variable)]
