"""Whatever platform.toml, prefect.yaml and the folder hold: a success or one clear error, and nothing else happens.

`make test` draws a few inputs, the same ones each time; `make fuzz` draws thousands.
"""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given
from typer.testing import Result

from bad_inputs import deployments, folders, specs, tree, write_bad_project
from commands import Cli
from platformctl.errors import as_platform_error
from platformctl.runtimes.local.bundle import describe_local, render_local
from platformctl.spec.load import load_project
from projects import SPEC, fake_workspace

_PATIENCE = 60
"""Seconds after which something hangs."""
_MOST = 25_000
"""Characters of an error that a person may be asked to read."""


@given(spec=specs)
def test_any_platform_toml(spec: bytes) -> None:
    check_all(spec, None, [])


@given(prefect_yaml=deployments)
def test_any_prefect_yaml(prefect_yaml: bytes) -> None:
    check_all(SPEC.encode(), prefect_yaml, [])


@given(deeds=folders)
def test_any_folder(deeds: list[tuple[str, str]]) -> None:
    every = SPEC + "[build]\nca = 'ca.pem'\n[images.locked]\nrequirements = 'uv.lock'\n[env.prod.server]\nport = 1\n"
    check_all(every.replace("[pools.", "[pools.x]\nimage = 'pipelines'\n[pools.").encode(), None, deeds)


@given(spec=specs, prefect_yaml=deployments, deeds=folders)
def test_any_of_all_three(spec: bytes, prefect_yaml: bytes, deeds: list[tuple[str, str]]) -> None:
    check_all(spec, prefect_yaml, deeds)


def check_all(spec: bytes, prefect_yaml: bytes | None, deeds: list[tuple[str, str]]) -> None:
    """Type commands on a project, each on a folder that the one before has left as it was, or has changed with success.

    What something else stands in the way of, in .platform itself, may be half written when that is noticed.
    """
    with tempfile.TemporaryDirectory() as scratch, _patience():
        folder = Path(scratch) / "project"
        folder.mkdir()
        write_bad_project(folder, spec, prefect_yaml, deeds)
        cli = Cli(folder, *fake_workspace(folder))
        for words in (["--env", "prod", "plan"], ["scale", "dev=3"], ["render"]):
            skipped = ".platform" if any(place.startswith(".platform") for place, _ in deeds) else None
            before = tree(folder, skipped)
            result = cli(*words)
            check_answer(result)
            if result.exit_code or "plan" in words:
                assert tree(folder, skipped) == before, (words, result.output)
        check_local(folder)


def check_answer(result: Result) -> None:
    """Check that a command has succeeded, or has said one thing that a person can act on."""
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert result.exit_code in {0, 1, 2}
    if result.exit_code:
        assert result.output.count("Error: ") == 1
        assert "Next:  " in result.output
    assert "//u:pa55word" not in result.output
    assert "Traceback" not in result.output
    assert len(result.output) < _MOST


def check_local(folder: Path) -> None:
    """Print the bundle of local processes, which needs no supervisor."""
    try:
        assert render_local(describe_local(load_project(folder)))
    except Exception as error:
        found = as_platform_error(error)
        if found is None:
            raise
        assert found.message.encode()


@contextmanager
def _patience() -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it hangs: nothing came of it in {_PATIENCE} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(_PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (b"\xff\xfe", "can't be read"),
        (b"a = " + b"[" * 100_000, "nested more than"),
        (SPEC.encode() + b'[database]\nurl = "postgresql://u:pa55word@{0}/"\n', "may hold a password"),
    ],
)
def test_the_command_itself_shows_no_traceback(tmp_path: Path, spec: bytes, said: str) -> None:
    write_bad_project(tmp_path, spec, None, [])
    command = [str(Path(sys.executable).with_name("platformctl")), "-C", str(tmp_path), "render"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)

    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "pa55word" not in ended.stderr
    assert not (tmp_path / ".platform").exists()
