"""The platform's secrets: random, made once, kept in files that no other user of the host can reach.

The folder is closed (0700) and its files are world-readable (0444): Compose mounts a secret's file as it is, and the
containers that read it run as other users. Prefect takes its secrets from a profile file, so neither an environment
variable nor a command line ever holds one.
"""

import json
import secrets as random_source
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from platformctl.files import replace_file

USER = "admin"
DATABASE_PASSWORD, API_PASSWORD = "database_password", "api_password"  # names of files
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


def unwritten_secrets(folder: Path) -> tuple[str, ...]:
    """Return the names of the files that `write_secrets` would make or mend."""
    missing = missing_secrets(folder)
    if missing:
        return (*missing, *_profiles_names())
    wanted = _profiles(read_secrets(folder))
    return tuple(name for name, text in wanted.items() if _text(folder / name) != text)


def read_secrets(folder: Path) -> Secrets:
    """Read the secrets; raises FileNotFoundError where there are none yet."""
    values = [SecretStr((folder / name).read_text(encoding="utf-8").strip()) for name in _MADE]
    return Secrets(*values)


def write_secrets(folder: Path) -> None:
    """Make the secrets that are missing, and the profiles that carry them to Prefect. Those that exist are kept."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in missing_secrets(folder):
        replace_file(folder / name, random_source.token_urlsafe(_BYTES), mode=0o444)
    for name, text in _profiles(read_secrets(folder)).items():
        replace_file(folder / name, text, mode=0o444)


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _profiles_names() -> tuple[str, ...]:
    return ("client.toml", "server.toml")


def _profiles(secrets: Secrets) -> dict[str, str]:
    auth = secrets.api_auth.get_secret_value()
    client = {"PREFECT_API_AUTH_STRING": auth}
    server = {
        **client,
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_DATABASE_PASSWORD": secrets.database_password.get_secret_value(),
    }
    return {"client.toml": _profile(client), "server.toml": _profile(server)}


def _profile(settings: dict[str, str]) -> str:
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(['active = "platform"', "", "[profiles.platform]", *lines, ""])
