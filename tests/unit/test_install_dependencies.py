"""Dependencies are installed beside Prefect's own, which stay: what uv is told, for each of the usual files."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from platformctl.assets import asset_path

SCRIPT = asset_path("images") / "worker" / "install_dependencies.py"
PREFECT = version("prefect")
_NOTING = """\
import pathlib, sys
with pathlib.Path({told!r}).open("a") as told:
    print({name!r}, *sys.argv[1:], file=told)
"""
RECORDING = """\
#!/bin/sh
echo "$@" >> "$RECORD"
for word in "$@"; do case "$last" in --constraint) cp "$word" "$RECORD.held" ;; esac; last=$word; done
case "$3" in "$FAILS") echo "uv says no" >&2; exit 7 ;; esac
"""


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    """A uv that writes down what it is told."""
    file = tmp_path / "uv"
    file.write_text(RECORDING, encoding="utf-8")
    file.chmod(0o755)
    return file


def install(uv: Path, *names: str, prefect: str = PREFECT, fails: str = "-") -> subprocess.CompletedProcess[str]:
    folder = uv.with_name("requirements")
    folder.mkdir()
    for name in names:
        (folder / name).write_text("", encoding="utf-8")
    words = [sys.executable, str(SCRIPT), prefect, "--requirements", str(folder), "--uv", str(uv)]
    environment = {**os.environ, "RECORD": str(uv.with_name("told")), "FAILS": fails}
    return subprocess.run(words, check=False, capture_output=True, text=True, env=environment)


def told(uv: Path) -> list[str]:
    file = uv.with_name("told")
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "dependencies.txt"])
def test_what_is_installed_may_not_move_what_prefect_has(uv: Path, name: str) -> None:
    assert install(uv, name).returncode == 0

    installed, checked = told(uv)
    held = uv.with_name("told.held").read_text(encoding="utf-8").splitlines()
    assert installed.startswith(f"--quiet pip install --compile-bytecode --python {sys.executable} --constraint ")
    assert installed.endswith(f" -r {name}")
    assert {f"prefect=={PREFECT}", f"pydantic=={version('pydantic')}"} <= set(held)
    assert checked == f"--quiet pip check --python {sys.executable}"


def test_of_a_lock_file_all_but_prefects_own_is_installed_as_it_says(uv: Path) -> None:
    assert install(uv, "uv.lock", "pyproject.toml").returncode == 0

    exported, installed, _ = told(uv)
    assert exported.startswith("--quiet export --frozen --no-dev --no-emit-project --no-emit-package=")
    assert {"--no-emit-package=prefect", "--no-emit-package=pydantic"} <= set(exported.split())
    assert installed.endswith(" --no-deps -r requirements.lock")


def test_further_dependencies_follow_on_a_lock_file(uv: Path) -> None:
    assert install(uv, "uv.lock", "pyproject.toml", "dependencies.txt").returncode == 0

    *_, locked, further, _ = told(uv)
    assert locked.endswith("-r requirements.lock")
    assert further.endswith("-r dependencies.txt")


def test_a_uv_that_is_missing_is_installed_by_its_version_and_hashes(tmp_path: Path) -> None:
    for module in ("pip", "uv"):
        (tmp_path / module).mkdir()
        (tmp_path / module / "__main__.py").write_text(_NOTING.format(told=str(tmp_path / "told"), name=module))
        (tmp_path / module / "__init__.py").touch()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "requirements.txt").touch()
    words = [sys.executable, str(SCRIPT), PREFECT, "--requirements", str(tmp_path / "requirements")]
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path)}

    assert subprocess.run(words, check=False, env=environment).returncode == 0

    pip, *uv = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    pinned = SCRIPT.with_name("uv.txt")
    assert pip == f"pip install --quiet --require-hashes --requirement {pinned}"
    assert [line.split()[:3] for line in uv] == [["uv", "--quiet", "pip"]] * 2
    assert pinned.read_text(encoding="utf-8").startswith("uv==")
    assert "--hash=sha256:" in pinned.read_text(encoding="utf-8")


def test_another_prefect_than_the_platforms_is_named_and_nothing_installed(uv: Path) -> None:
    done = install(uv, "requirements.txt", prefect="3.0.0")

    assert done.returncode == 3
    assert done.stderr == f"the base image holds {PREFECT}, and the platform is of Prefect 3.0.0\n"
    assert told(uv) == []


def test_what_fails_speaks_for_itself_and_ends_it(uv: Path) -> None:
    done = install(uv, "requirements.txt", fails="install")

    assert (done.returncode, done.stderr) == (7, "uv says no\n")
    assert len(told(uv)) == 1
