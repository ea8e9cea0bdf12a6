"""The files of every bundle, whatever it is printed for, and how they get into its folder."""

from collections.abc import Mapping
from pathlib import Path

from platformctl.assets import asset_path
from platformctl.files import Content, holds, make_folder, replace_file
from platformctl.spec.prefect_yaml.yaml_text import canonical_json
from platformctl.stack.deployments import deployment_files, flow_requests
from platformctl.stack.describe import Stack

CONTEXTS = "images/"
"""Where a bundle holds what images are built from; nothing runs from there."""
COMPOSE, SUPERVISOR, LAUNCH = "compose.yaml", "supervisord.conf", "launch.py"
SCHEMA = "platform.schema.json"
_OWN = ("images", "deployments", "server", "services")
"""Folders of a bundle that hold nothing but what is rendered."""

Files = Mapping[str, Content]
"""Path in the bundle to content."""


def stack_files(stack: Stack) -> dict[str, Content]:
    """Return the files of any bundle of a stack: the schema, what images are built from, and deployments by image."""
    files: dict[str, Content] = {SCHEMA: (asset_path("templates") / SCHEMA).read_bytes()}
    for image in stack.built:
        files |= {f"{CONTEXTS}{image.name}/{path}": content for path, content in image.context.items()}
    for name, content in deployment_files(stack.project, stack.deployments).items():
        files[f"deployments/{name}.yaml"] = content
        asked = flow_requests(stack.project, stack.deployments, name)
        files[f"deployments/{name}.json"] = f"{canonical_json(asked)}\n".encode()
    return files


def changed_files(files: Files, folder: Path) -> tuple[str, ...]:
    """Return the paths that a write would make, change or remove, sorted."""
    changed = {path for path, content in files.items() if not holds(folder / path, content)}
    return tuple(sorted(changed | set(_stale_files(files, folder))))


def write_files(files: Files, folder: Path, *, under: str = "") -> None:
    """Bring a bundle's folder to its files: only changed ones are written, and its own folders hold nothing else.

    under: how the paths begin that are written or removed, such as CONTEXTS; all of them where it is empty.
    """
    for path, content in files.items():
        if path.startswith(under) and not holds(folder / path, content):
            make_folder((folder / path).parent)
            replace_file(folder / path, content)
    for path in _stale_files(files, folder):
        if path.startswith(under):
            (folder / path).unlink()


def _stale_files(files: Files, folder: Path) -> list[str]:
    """What the bundle's own folders hold beside it, and another runtime's file; other files of the folder are the user's."""
    found = [path for part in _OWN for path in (folder / part).rglob("*") if path.is_file()]
    found += [folder / name for name in (COMPOSE, SUPERVISOR, LAUNCH) if (folder / name).is_file()]
    relative = [path.relative_to(folder).as_posix() for path in found]
    return [path for path in relative if path not in files]
