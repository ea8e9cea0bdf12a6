"""A wheel carries what the library reads beside its modules."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_wheel_carries_templates_images_and_reference_stacks(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], check=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    for folder in ("templates", "images", "compose"):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"platformctl/_assets/{name}" for name in files if "__pycache__" not in name} <= names
    assert {"platformctl/__init__.py", "platformctl_cli/app.py"} <= names
