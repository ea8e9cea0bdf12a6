"""Which files belong to a project: those inside its folder, and none of `.platform`, wherever links lead."""

import os
from pathlib import Path

from platformctl.errors import SpecError
from platformctl.files import STATE_FOLDER


def outside_words(root: Path, path: Path) -> str | None:
    """Return why a path of a project whose folder is `root` isn't one of its files: `is a link to X, ...`; None where it is."""
    target = Path(os.path.realpath(path))
    if target.is_relative_to(root) and not target.is_relative_to(root / STATE_FOLDER):
        return None
    leads = "leads to" if target == path else "is, or is in, a link to"
    what = f"in {STATE_FOLDER}, with the platform's secrets" if target.is_relative_to(root) else f"outside {root}"
    return f"{leads} {target}, {what}"


def check_inside(root: Path, path: Path, shown: str) -> None:
    """Raise SpecError unless a path is one of the project's files. shown: its name for a person."""
    if words := outside_words(root, path):
        raise SpecError(f"{shown} {words}.", remedy=f"Copy what it needs into {root}; nothing was changed.")
