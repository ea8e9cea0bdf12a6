"""`init`: a commented platform.toml, a first flow, its requirements and its deployment."""

import re
from pathlib import Path

from platformctl.assets import asset_path
from platformctl.errors import UsageError
from platformctl.files import make_folder, replace_file
from platformctl.model.spec import Platform
from platformctl.model.texts import NAME_RULE, is_name
from platformctl.spec.load import load_project
from platformctl.stack.files import SCHEMA
from platformctl.templates import render_template

_FILES = ("platform.toml", "requirements.txt", "flows/hello.py", "prefect.yaml", ".gitignore")


def init_project(folder: Path, name: str | None) -> list[str]:
    """Write the files of a first platform and return their paths; raises UsageError where one of them is there already.

    name: the platform's; where it is None it is made from the folder's.
    """
    there = [path for path in _FILES if (folder / path).exists() and path != ".gitignore"]
    if there:
        remedy = "Edit what is there, or choose an empty folder with -C DIR. Nothing was written."
        raise UsageError(f"{folder.resolve()} holds {', '.join(there)} already.", remedy=remedy)
    chosen = name or _name_of(folder)
    if not is_name(chosen):
        raise UsageError(f"{chosen!r} is not a legal name of a platform.", remedy=f"Choose {NAME_RULE}.")
    contents = {path: _render(path, chosen) for path in _FILES}
    wanted = [path for path in _FILES if path != ".gitignore" or not (folder / path).exists()]
    for path in wanted:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        replace_file(folder / path, contents[path])
    schema = load_project(folder).bundle / SCHEMA  # what the first line of platform.toml points editors at
    make_folder(schema.parent)
    replace_file(schema, (asset_path("templates") / SCHEMA).read_bytes())
    return wanted


def _render(path: str, name: str) -> str:
    version = Platform.model_fields["prefect"].default
    return render_template(f"init/{path.lstrip('.')}.j2", name=name, prefect=version)


def _name_of(folder: Path) -> str:
    """A legal name from a folder's: lower-case letters, digits and hyphens, a letter first."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:30].rstrip("-")
    return words if words[:1].isalpha() else "platform"
