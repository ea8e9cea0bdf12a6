"""The database: the platform's own PostgreSQL, known by its major, or one of the user's, named by a URL.

The password of such a URL comes from the environment, and stands in no file of the project.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from platformctl.errors import SpecError

SETTING = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
OLDEST_POSTGRES, NEWEST_POSTGRES = 14, 18
_MAJOR_OF = (re.compile(r"\bpg-?(\d{1,3})\b"), re.compile(r":v?(\d{1,3})\b"))
_VOLUME = re.compile(r"_database(-\d+)?$")
_DRIVER = "postgresql+asyncpg"
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def postgres_major(image: str) -> int | None:
    """Return the major of PostgreSQL that an image's tag names (`postgres:18`, `pgvector/pgvector:pg17`), or None."""
    name = image.rpartition("/")[2]
    return next((int(found[1]) for pattern in _MAJOR_OF if (found := pattern.search(name))), None)


def database_volume(major: int) -> tuple[str, str]:
    """Return the volume of a major's data, without its platform's name, and where the official image wants it mounted.

    The image of 18 and later keeps each major's data in a folder of its own: one that finds none begins an empty database.
    """
    return ("database", "/var/lib/postgresql/data") if major < 18 else (f"database-{major}", "/var/lib/postgresql")


def is_database_volume(name: str) -> bool:
    """Whether a volume of a platform holds its database, of any major."""
    return bool(_VOLUME.search(name))


def majors_of_volume(name: str) -> str:
    """Return the majors, for people, of which a volume's data may be; raises ValueError for a volume without a database."""
    found = _VOLUME.search(name)
    if found is None:
        raise ValueError(f"{name} holds no database")
    return found[1].lstrip("-") if found[1] else f"{OLDEST_POSTGRES} to 17"


def is_database_url(text: str) -> bool:
    """Whether a text names a PostgreSQL: with a host and a database, and with no password but `${NAME}`."""
    try:
        parts = urlsplit(text)
        is_complete = bool(parts.hostname and parts.path.strip("/")) and (parts.port or 1) > 0
    except ValueError:
        return False
    has_variable = parts.password is None or bool(_VARIABLE.fullmatch(parts.password))
    return parts.scheme in ("postgresql", "postgres") and is_complete and has_variable


def database_host(text: str) -> str:
    """Return the host of a database's URL."""
    return urlsplit(text).hostname or ""


def database_name(text: str) -> str:
    """Return what a person calls the database of a URL: host, port and name, and no password."""
    parts = urlsplit(text)
    return f"PostgreSQL at {_address(parts)}{parts.path}"


def complete_url(text: str, environment: Mapping[str, str], profile: Path, file: Path) -> str:
    """Return the URL that Prefect's server connects to, with its password.

    environment: where the password's variable is looked for. profile: the server's, which holds the password of before
    where the variable isn't set now. file: platform.toml. Raises SpecError where there is no password in either.
    """
    parts = urlsplit(text)
    user = parts.username or "prefect"
    found = _VARIABLE.fullmatch(parts.password or "")
    if found:
        password = environment.get(found[1]) or _password_of(profile)
        if password is None:
            said = f"database.url in {file.name} names ${{{found[1]}}}, which isn't set in the environment."
            raise SpecError(said, remedy=f"Set it (`export {found[1]}=...`), then type the same command.")
        user += f":{quote(password, safe='')}"
    return parts._replace(scheme=_DRIVER, netloc=f"{user}@{_address(parts)}").geturl()


def _address(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or 5432}"


def _password_of(profile: Path) -> str | None:
    if not profile.is_file():
        return None
    url = tomllib.loads(profile.read_text(encoding="utf-8"))["profiles"]["platform"].get(SETTING)
    password = urlsplit(url).password if url else None
    return unquote(password) if password else None
