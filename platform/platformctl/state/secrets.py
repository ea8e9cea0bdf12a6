"""The platform's secrets: random, made once, kept in files that no other user of the host can reach.

The folder is closed (0700) and its files are world-readable (0444): Compose mounts a secret's file as it is, and the
containers that read it run as other users. Prefect takes its secrets from a profile file, so neither an environment
variable nor a command line ever holds one.
"""

import json
import os
import secrets as random_source
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from platformctl.files import make_folder, replace_file
from platformctl.model.database import SETTING, complete_url
from platformctl.spec.load import Project

USER = "admin"
DATABASE_PASSWORD, API_PASSWORD = "database_password", "api_password"  # names of files
CLIENT_PROFILE, SERVER_PROFILE = PROFILES = ("client.toml", "server.toml")
_MADE = (DATABASE_PASSWORD, API_PASSWORD)
_BYTES = 24


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is in the folder of secrets."""

    database_password: SecretStr = field(repr=False)
    api_password: SecretStr = field(repr=False)

    @property
    def api_auth(self) -> SecretStr:
        """What Prefect's clients and its UI ask for: `user:password`."""
        return SecretStr(f"{USER}:{self.api_password.get_secret_value()}")


def missing_secrets(folder: Path) -> tuple[str, ...]:
    """Return the names of the secrets that the folder doesn't hold yet."""
    return tuple(name for name in _MADE if not (folder / name).is_file())


def unwritten_secrets(project: Project, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of the files that `write_secrets` would make or mend.

    Raises SpecError where the password of the user's own database is nowhere to be found.
    """
    folder, url = project.secrets, _database_url(project, environment)
    missing = missing_secrets(folder)
    if missing:
        return (*missing, *PROFILES)
    wanted = _profiles(folder, url)
    return tuple(name for name, text in wanted.items() if _text(folder / name) != text)


def read_secrets(folder: Path) -> Secrets:
    """Read the secrets; raises FileNotFoundError where there are none yet."""
    values = [SecretStr((folder / name).read_text(encoding="utf-8").strip()) for name in _MADE]
    return Secrets(*values)


def write_secrets(project: Project, environment: Mapping[str, str] | None = None) -> None:
    """Make the secrets that are missing, and the profiles that carry them to Prefect. Those that exist are kept.

    Raises SpecError as `unwritten_secrets` does.
    """
    folder, url = project.secrets, _database_url(project, environment)
    make_folder(folder, 0o700)
    folder.chmod(0o700)
    for name in missing_secrets(folder):
        replace_file(folder / name, random_source.token_urlsafe(_BYTES), mode=0o444)
    for name, text in _profiles(folder, url).items():
        replace_file(folder / name, text, mode=0o444)


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _database_url(project: Project, environment: Mapping[str, str] | None) -> str | None:
    """The URL of the user's own database, with its password; None where the platform has one of its own."""
    if not (url := project.spec.database.url):
        return None
    variables = os.environ if environment is None else environment
    return complete_url(url, variables, project.secrets / SERVER_PROFILE, project.file)


def _profiles(folder: Path, url: str | None) -> dict[str, str]:
    secrets = read_secrets(folder)
    auth = secrets.api_auth.get_secret_value()
    client = {"PREFECT_API_AUTH_STRING": auth}
    server = {**client, "PREFECT_SERVER_API_AUTH_STRING": auth}
    if url:
        server[SETTING] = url
    else:
        server["PREFECT_SERVER_DATABASE_PASSWORD"] = secrets.database_password.get_secret_value()
    return {CLIENT_PROFILE: _profile(client), SERVER_PROFILE: _profile(server)}


def _profile(settings: dict[str, str]) -> str:
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(['active = "platform"', "", "[profiles.platform]", *lines, ""])
