"""The command lines that uv is called with, and what becomes of what it says."""

import os
import sys
from pathlib import Path

import pytest

from platformctl.adapters.uv import CommandError, Uv, run_reported
from recording import Recording

VENV = Path("/srv/acme/venv")


def make(command: Recording, lines: list[str] | None = None) -> Uv:
    found: list[str] = [] if lines is None else lines
    return Uv(found.append, {"PATH": os.environ["PATH"], "UV_DEFAULT_INDEX": "mine"}, command=str(command.path))


def test_an_environment_is_of_this_python_and_can_be_moved(command: Recording) -> None:
    make(command).create(VENV)
    assert command.lines == [f"--quiet venv --relocatable --python {sys.executable} {VENV}"]


def test_packages_are_installed_with_its_variables_and_no_others(
    command: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_TOKEN", "not-a-token")
    make(command).install(VENV, "--require-hashes", "-r", "lock.txt")
    (call,) = command.calls
    assert " ".join(call.words) == f"--quiet pip install --python {VENV} --require-hashes -r lock.txt"
    assert call.environment["UV_DEFAULT_INDEX"] == "mine"
    assert "CLOUD_TOKEN" not in call.environment


def test_lines_of_both_outputs_are_reported_and_told_where_it_fails(command: Recording) -> None:
    command.answer("pip install", "one  \n\n", err="two\n", code=1)
    lines: list[str] = []
    with pytest.raises(CommandError) as failure:
        make(command, lines).install(VENV, "tabulate")
    assert lines == ["one", "two"]
    assert failure.value.words == "one\n\ntwo"


def test_a_command_that_fails_in_silence_is_named(command: Recording) -> None:
    command.answer("sync", code=3)
    with pytest.raises(CommandError, match=f"{command.path} exited with code 3"):
        run_reported([str(command.path), "sync"], lambda _: None, variables={})


def test_uv_is_the_one_that_is_installed_beside() -> None:
    lines: list[str] = []
    with pytest.raises(CommandError, match="no-such-environment"):
        Uv(lines.append, {}).install(Path("/no-such-environment"), "tabulate")
    assert lines
