"""The warm worker's package as an installer would leave it: its modules, and the metadata that Prefect finds it by.

It is pure Python, so that no build back end is needed where it is installed, nor a network to get one.
"""

import base64
import functools
import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformctl.assets import asset_path

WORKER = "worker/"
"""The folder of a build context that holds what goes to site-packages."""
_WHEEL = b"Wheel-Version: 1.0\nGenerator: platformctl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@functools.cache
def installed_files() -> Mapping[str, bytes]:
    """Return what is to be in site-packages, path to content; https://packaging.python.org/specifications describes it."""
    folder = asset_path("images") / "prefect-warm-worker"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = _modules(folder / "src")
    info = f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    files[f"{info}/METADATA"] = _metadata(project).encode()
    files[f"{info}/WHEEL"] = _WHEEL
    files[f"{info}/INSTALLER"] = b"platformctl\n"
    files[f"{info}/entry_points.txt"] = _entry_points(project["entry-points"]).encode()
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD").encode()
    return files


def _modules(source: Path) -> dict[str, bytes]:
    found = (path for path in sorted(source.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(source).as_posix(): path.read_bytes() for path in found}


def _metadata(project: Mapping[str, Any]) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {requirement}" for requirement in project["dependencies"]),
    ]
    return "\n".join([*lines, ""])


def _entry_points(groups: Mapping[str, Mapping[str, str]]) -> str:
    lines = [line for name, points in groups.items() for line in (f"[{name}]", *_assignments(points))]
    return "\n".join([*lines, ""])


def _assignments(points: Mapping[str, str]) -> list[str]:
    return [f"{name} = {target}" for name, target in points.items()]


def _record(files: Mapping[str, bytes], own: str) -> str:
    """With it an installer can replace the package by another version of it."""
    return "".join([*(_record_line(path, content) for path, content in files.items()), f"{own},,\n"])


def _record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"
