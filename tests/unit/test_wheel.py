"""A wheel carries what the library reads beside its modules."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wheels import ROOT, build_wheel

_CONTRACT = """
import sys
sys.path.insert(0, sys.argv[1])
from prefect_warm_worker import contract
print(contract.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installation gets."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_a_wheel_carries_templates_images_and_reference_stacks(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    for folder in ("templates", "images"):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"platformctl/_assets/{name}" for name in files if "__pycache__" not in name} <= names
    assert {"platformctl/__init__.py", "platformctl_cli/app.py"} <= names


def test_a_wheel_carries_what_workers_and_platform_agree_on(wheel: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", _CONTRACT, str(wheel)]  # -S: without any installed library
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert said.strip() == f"{wheel}/prefect_warm_worker/contract.py"
