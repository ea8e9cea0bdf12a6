"""platformctl as its users install it: the wheel in an environment of its own, outside the sources, beside any Prefect."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.conftest import NewStack
from e2e.waiting import step
from platformctl.adapters.uv import uv_command
from platformctl.model.releases import MINORS
from wheels import ROOT, build_wheel

pytestmark = pytest.mark.others


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is published."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def install(wheel: Path, folder: Path, *more: str) -> Path:
    """Install the wheel into a bare environment, and return its program; constraints only spare a download."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    uv, python = uv_command(), folder / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True, env=environment)
    words = ["pip", "install", "--quiet", "--python", str(python), str(wheel), *more]
    subprocess.run([uv, *words], check=True, env=environment)
    return folder / "bin" / "platformctl"


def test_an_installed_platformctl_brings_a_platform_up_and_takes_it_down(
    wheel: Path, new_stack: NewStack, tmp_path: Path
) -> None:
    made = new_stack()
    step("The folder and the environment are all there is: no sources, and nothing of this environment.")
    stack = dataclasses.replace(made, program=install(wheel, tmp_path / "environment"))
    stack.must("up")
    assert "the last row of warehouse" in stack.must("run", "hello/hello", "--watch")
    assert stack.ctl("plan", "--check").code == 0
    step("The sources' own platformctl finds nothing to change: both render the same.")
    assert made.ctl("plan", "--check").code == 0
    stack.must("down", "--volumes", "--yes")
    assert not made.machine.remains()


@pytest.mark.parametrize("version", [minor.newest for minor in MINORS])
def test_it_can_be_installed_beside_the_flows_of_any_supported_prefect(
    wheel: Path, tmp_path: Path, version: str
) -> None:
    (minor,) = (minor for minor in MINORS if minor.newest == version)
    held = ROOT / "images" / "constraints" / f"{minor.name}.txt"
    program = install(wheel, tmp_path / "environment", f"prefect=={version}", "--constraint", str(held))
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert said.startswith("platformctl ")
    prefect = subprocess.run(
        [program.with_name("prefect"), "--version"], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    assert prefect.strip() == version
