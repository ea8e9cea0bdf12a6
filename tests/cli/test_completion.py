"""What a shell completes."""

import pytest
from typer.testing import CliRunner

from commands import Cli
from platformctl_cli.app import app


def completed(cli: Cli, *words: str) -> list[str]:
    """Return what bash would offer for the last word."""
    line = " ".join(["platformctl", "-C", str(cli.folder), *words])
    asked = {"_PLATFORMCTL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) + 2)}
    result = CliRunner(env=asked).invoke(app, [], obj=cli.workspace, prog_name="platformctl")
    assert result.exit_code == 0, result.output
    return result.output.split()


@pytest.mark.parametrize(
    "words", [["run"], ["schedules", "ls"], ["schedules", "pause"], ["runs", "ls", "--deployment"]]
)
def test_deployments_are_completed(running: Cli, words: list[str]) -> None:
    assert completed(running, *words, "hel") == ["hello/nightly"]
    assert completed(running, *words, "other") == []


@pytest.mark.parametrize("words", [["show"], ["logs"], ["cancel", "first"], ["retry"]])
def test_runs_are_completed(running: Cli, words: list[str]) -> None:
    for name in ("brave-otter", "brave-eagle", "shy-newt"):
        running("run", "hello/nightly", "--name", name)
    assert set(completed(running, "runs", *words, "brave")) == {"brave-otter", "brave-eagle"}


def test_a_platform_that_does_not_run_completes_nothing_and_says_nothing(cli: Cli) -> None:
    assert completed(cli, "run", "hel") == []
    (cli.folder / "platform.toml").write_text("nonsense", encoding="utf-8")
    assert completed(cli, "runs", "show", "b") == []
