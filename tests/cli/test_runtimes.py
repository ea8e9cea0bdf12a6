"""What a user is told of the runtime: that there was no engine, and what moving to another one does."""

import pytest

from commands import Cli
from platformctl.runtimes.fake import FakeRuntime


@pytest.fixture
def moving(cli: Cli) -> Cli:
    """Return a command line on a platform that local processes run, and that is wanted on Docker."""
    assert cli("up").exit_code == 0
    former, cli.fakes.engine = cli.fakes.engine, FakeRuntime(cli.fakes.prefect, folder=cli.folder)
    former.name = "local"
    former.calls.clear()
    cli.fakes.former = former
    return cli


def test_a_fall_back_is_said_once_and_only_where_there_is_something_to_do(cli: Cli) -> None:
    cli.fakes.engine.note = "No Docker engine answers: the platform runs as local processes, with SQLite."

    assert cli("up").output.startswith(cli.fakes.engine.note)
    assert cli("up").output == "Nothing to do: the platform is what platform.toml says.\n"


def test_a_plan_shows_what_moving_would_take_down_and_changes_nothing(moving: Cli) -> None:
    shown = moving("plan", "--runtime", "docker").output

    assert "moves from local to docker: acme-worker-dev-1" in shown
    assert shown.index("moves from local to docker") < shown.index("create    database")
    assert moving.fakes.former is not None
    assert not moving.fakes.former.calls


def test_up_takes_down_what_the_former_runtime_runs_before_it_starts_anything(moving: Cli) -> None:
    result = moving("up")

    assert result.exit_code == 0, result.output
    assert moving.fakes.former is not None
    assert not moving.fakes.former.instances
    assert result.output.index("remove server") < result.output.index("create server")


def test_a_machine_that_is_not_ready_leaves_the_former_runtime_alone(moving: Cli) -> None:
    moving.fakes.engine.withdrawn = {"postgres:18"}
    moving.fakes.engine.images.discard("postgres:18")

    assert moving("up").exit_code == 1
    assert moving.fakes.former is not None
    assert not moving.fakes.former.calls


def test_down_takes_down_what_either_runtime_runs(moving: Cli) -> None:
    assert moving("down").exit_code == 0
    assert moving.fakes.former is not None
    assert not moving.fakes.former.instances
