"""Ctrl-C at any moment of a command."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import typer

from commands import Cli
from platformctl.plan.resources.flows import DescribeFlows
from platformctl.plan.resources.service import StartServices
from platformctl_cli import interrupts
from platformctl_cli.confirm import confirm
from projects import write_project

_CODE = """
from platformctl_cli import entry
look_after = entry.look_after_interrupts
entry.look_after_interrupts = lambda: (look_after(), print(flush=True))
entry.main()
"""


@pytest.fixture(autouse=True)
def _untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each test tell of its own interrupt."""
    monkeypatch.setattr(interrupts, "_told", [])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _abort(*_: object, **__: object) -> None:
    raise typer.Abort


def _default_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _run_python(code: str, *words: str, after: float = 0) -> tuple[int, str]:
    """Run code that prints a line first; interrupt it some seconds later. Returns the exit code and what it wrote of errors."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_default_interrupts,  # noqa: PLW1509  # a shell's background jobs ignore interrupts
    ) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return process.returncode, err


def test_an_interrupt_while_a_command_is_loaded_is_one_line(tmp_path: Path) -> None:
    write_project(tmp_path, '[platform]\nname = "acme"\nprefect = "3.8.8"\nruntime = "local"\n')
    for moment in (0.002, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5):
        code, err = _run_python(_CODE, "-C", str(tmp_path), "plan", after=moment)
        if code == 130:
            assert err == "Interrupted. Nothing was changed.\n"
        else:
            assert (code, err) == (0, ""), "it ended before it was interrupted"


def test_an_import_is_finished_before_the_interrupt(tmp_path: Path) -> None:
    module = """
        import os, signal
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException:
            print("the import was interrupted")
        done = True
    """
    (tmp_path / "heavy.py").write_text(textwrap.dedent(module))
    code = f"""
        import sys, time
        sys.path.insert(0, {str(tmp_path)!r})
        from platformctl_cli.interrupts import leave, look_after_interrupts
        look_after_interrupts()
        try:
            import heavy
            time.sleep(30)
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted, {{heavy.done}}")
            leave(130)
    """
    assert _run_python(textwrap.dedent(code), after=60) == (130, "interrupted, True")


def test_an_interrupt_that_a_finalizer_swallows_comes_again() -> None:
    code = """
        import os, signal, sys, time
        from platformctl_cli.interrupts import leave, look_after_interrupts
        look_after_interrupts()
        class Final:
            def __del__(self):
                os.kill(os.getpid(), signal.SIGINT)
        try:
            Final()
            time.sleep(30)
        except KeyboardInterrupt:
            leave(130)
    """
    assert _run_python(textwrap.dedent(code), after=60) == (130, "")


def test_a_second_interrupt_waits_for_nothing() -> None:
    code = """
        import os, signal, time
        from platformctl_cli.interrupts import look_after_interrupts
        look_after_interrupts()
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)
    """
    code_, err = _run_python(textwrap.dedent(code), after=60)
    assert code_ == 130
    assert "Stopped at once" in err


def test_up_says_where_it_was_interrupted_and_what_goes_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DescribeFlows, "apply", _interrupt)
    result = cli("up")
    assert result.exit_code == 130
    line = (
        "Interrupted while describing flows pipelines; the steps before it are done. Type the same command to continue."
    )
    assert result.output.splitlines()[-1] == line
    assert "failed" not in result.output
    monkeypatch.undo()
    assert cli("up").exit_code == 0


def test_an_edit_that_was_interrupted_is_taken_back_and_can_be_typed_again(
    running: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = running.spec
    monkeypatch.setattr(StartServices, "apply", _interrupt)
    result = running("pools", "set", "dev", "--workers", "3")
    assert result.exit_code == 130
    assert "platform.toml was set back to what it was before this command." in result.output
    assert result.output.splitlines()[-1].endswith("Type the same command to continue.")
    assert running.spec == before
    monkeypatch.undo()
    assert running("pools", "set", "dev", "--workers", "3").exit_code == 0
    assert "workers = 3" in running.spec


def test_an_interrupted_question_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", _abort)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        confirm("This deletes permanently:", ["the data"], is_agreed=False)
    assert interrupt.value.__notes__ == ["before anything was changed"]


def test_what_a_library_makes_of_an_interrupt_is_one(running: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrap(*_: object) -> None:
        monkeypatch.setattr(interrupts, "_noticed", [signal.SIGINT])
        raise RuntimeError("Error building a validator: KeyboardInterrupt: ")

    monkeypatch.setattr("platformctl.runtimes.fake.FakeRuntime.observe", wrap)
    result = running("status")
    assert result.exit_code == 130
    assert result.output.splitlines() == ["Interrupted. Nothing was changed."]


def test_where_nothing_was_begun_nothing_was_changed(running: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformctl.runtimes.fake.FakeRuntime.observe", _interrupt)
    assert running("status").output.splitlines() == ["Interrupted. Nothing was changed."]
