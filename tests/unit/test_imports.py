"""Who may import what: adapters are the only importers of the libraries they adapt, and --help loads none of them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "platform" / "platformctl"
ADAPTED = {"docker", "python_on_whales", "prefect", "supervisor", "psutil", "uv"}


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_adapters_import_what_they_adapt() -> None:
    offenders = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in LIBRARY.rglob("*.py")
        if "adapters" not in file.parts
        for name in imports_of(file)
        if name.split(".")[0] in ADAPTED
    }
    assert not offenders


def test_the_library_never_imports_the_command_line() -> None:
    assert not [
        file for file in LIBRARY.rglob("*.py") if any(name.startswith("platformctl_cli") for name in imports_of(file))
    ]


@pytest.mark.parametrize("module", ["platformctl", "pydantic", "docker", "prefect", "supervisor", "rich", "jinja2"])
def test_help_loads_no_library(module: str) -> None:
    code = (
        "import sys; sys.argv = ['platformctl', '--help']\n"
        "from platformctl_cli.app import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
