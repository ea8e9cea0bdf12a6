"""The proof that flows can be imported: what it says of those that can't, and how it imports each."""

import os
import subprocess
import sys
from pathlib import Path

from platformctl.assets import asset_path

SCRIPT = asset_path("images") / "worker" / "check_flows.py"


def check(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PREFECT_HOME": str(folder / ".prefect")}
    command = [sys.executable, "-B", str(SCRIPT), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)


def write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        file = folder / "flows" / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def test_every_flow_that_fails_is_named_in_the_interpreters_words(tmp_path: Path) -> None:
    write(tmp_path, first="import nowhere\n", second="from prefect import flow\n", third="raise SystemExit('no')\n")

    done = check(tmp_path, "flows")

    assert done.returncode == 1
    assert "flows/first.py can't be imported:" in done.stderr
    assert "ModuleNotFoundError: No module named 'nowhere'" in done.stderr
    assert "flows/third.py can't be imported:" in done.stderr
    assert "2 of the flows failed to import" in done.stderr
    assert "check_flows" not in done.stderr


def test_flows_import_their_neighbours_and_what_is_in_the_projects_folder(tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text("", encoding="utf-8")
    write(tmp_path, one="import shared, other\n", other="")

    assert check(tmp_path, "flows").returncode == 0


def test_without_flows_it_proves_that_prefect_can_be_imported(tmp_path: Path) -> None:
    done = check(tmp_path)

    assert done.returncode == 0
    assert "no flow failed to import" in done.stderr


def test_a_module_of_a_package_finds_what_stands_beside_it(tmp_path: Path) -> None:
    write(tmp_path, __init__="", shared="SIZE = 1\n", main="from .shared import SIZE\nfrom . import shared\n")

    done = check(tmp_path, "flows")

    assert done.returncode == 0, done.stderr
