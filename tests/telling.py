"""A source distribution whose build writes down the environment that it is given."""

import base64
import hashlib
from pathlib import Path

_PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "telling"
version = "1.0"
"""
_BACKEND = """\
import os, pathlib, zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    names = "\\n".join(f"{{name}}={{value}}" for name, value in os.environ.items())
    pathlib.Path({told!r}).write_text(names)
    with zipfile.ZipFile(pathlib.Path(folder, "telling-1.0-py3-none-any.whl"), "w") as wheel:
        for path, content in {files!r}.items():
            wheel.writestr(f"telling-1.0.dist-info/{{path}}", content)
    return "telling-1.0-py3-none-any.whl"
"""
_METADATA = {
    "METADATA": "Metadata-Version: 2.1\nName: telling\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: telling\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def write_telling_package(folder: Path, told: Path) -> str:
    """Write one into a new folder, and return what asks for it in a requirements.txt. told: where its build writes to."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
    files = {
        **_METADATA,
        "RECORD": "".join([*map(_record_line, _METADATA.items()), "telling-1.0.dist-info/RECORD,,\n"]),
    }
    (folder / "backend.py").write_text(_BACKEND.format(told=str(told), files=files), encoding="utf-8")
    return f"telling @ {folder.as_uri()}"


def read_told(told: Path) -> dict[str, str]:
    """Return the variables that a build wrote down."""
    return dict(line.split("=", 1) for line in told.read_text(encoding="utf-8").splitlines() if "=" in line)


def _record_line(file: tuple[str, str]) -> str:
    path, content = file
    digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
    return f"telling-1.0.dist-info/{path},sha256={digest},{len(content)}\n"
