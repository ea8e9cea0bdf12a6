"""platform.lock: the digests of the images that platform.toml names, so that a tag that moves changes nothing by itself."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from platformctl.errors import SpecError
from platformctl.files import read_small_text, replace_file

LOCK_NAME = "platform.lock"
_HEAD = "# Written by `platformctl lock`: what the images that platform.toml names are. Keep it with platform.toml.\n\n"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def read_digests(root: Path) -> dict[str, str]:
    """Return image to digest, nothing where there is no platform.lock beside platform.toml; raises SpecError."""
    file = root / LOCK_NAME
    try:
        content = tomllib.loads(read_small_text(file)).get("images")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _broken(file, str(error)) from error
    if not isinstance(content, dict):
        raise _broken(file, "it has no table [images]")
    if wrong := next((name for name, digest in content.items() if not _is_digest(digest)), None):
        raise _broken(file, f"the digest of {wrong!r} is not sha256: and 64 hexadecimal digits")
    return content


def write_digests(root: Path, digests: Mapping[str, str]) -> None:
    """Write platform.lock."""
    import tomlkit  # noqa: PLC0415  # only writing pays for it

    replace_file(root / LOCK_NAME, _HEAD + tomlkit.dumps({"images": dict(sorted(digests.items()))}))


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))


def _broken(file: Path, why: str) -> SpecError:
    remedy = f"Restore {file}, or remove it and type `platformctl lock`."
    return SpecError(f"{file.name} can't be used: {why}.", remedy=remedy)
