"""The warm worker's package as one wheel, with the same bytes wherever it is made.

It is pure Python, so that platformctl needs no build back end to make it, nor the image a network to install it. Image tags
follow from its bytes. So it is stored, not compressed: implementations of zlib compress differently.
"""

import base64
import functools
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformctl.assets import asset_path

WORKER = "worker/"
"""The folder of a build context that holds the wheel."""
_WHEEL = b"Wheel-Version: 1.0\nGenerator: platformctl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold."""
_UNIX, _REGULAR_FILE = 3, 0o100644


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel: its file's name and its bytes."""

    name: str
    content: bytes


@functools.cache
def worker_wheel() -> Wheel:
    """Make the wheel; https://packaging.python.org/en/latest/specifications/binary-distribution-format describes it."""
    folder = asset_path("images") / "prefect-warm-worker"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = f"{project['name'].replace('-', '_')}-{project['version']}"
    files = _modules(folder / "src") | _metadata(project, f"{name}.dist-info")
    files[f"{name}.dist-info/RECORD"] = _record(files, f"{name}.dist-info/RECORD").encode()
    return Wheel(f"{name}-py3-none-any.whl", _archive(files))


def _modules(source: Path) -> dict[str, bytes]:
    found = (path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return dict(sorted((path.relative_to(source).as_posix(), path.read_bytes()) for path in found))


def _metadata(project: Mapping[str, Any], folder: str) -> dict[str, bytes]:
    return {
        f"{folder}/METADATA": _core_metadata(project).encode(),
        f"{folder}/WHEEL": _WHEEL,
        f"{folder}/entry_points.txt": _entry_points(project["entry-points"]).encode(),
    }


def _core_metadata(project: Mapping[str, Any]) -> str:
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


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file of some files, of which no entry tells who made it, when, or on what."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(_entry(path), content)
    return made.getvalue()


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.create_system, entry.external_attr = _UNIX, _REGULAR_FILE << 16
    return entry


def _record(files: Mapping[str, bytes], own: str) -> str:
    """With it an installer can replace the package by another version of it."""
    return "".join([*(_record_line(path, content) for path, content in files.items()), f"{own},,\n"])


def _record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"
