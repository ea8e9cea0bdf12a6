"""`down`: what it takes away, what it keeps, and whom it asks."""

import os
import signal
from dataclasses import dataclass

import pytest

from e2e.conftest import NewStack
from e2e.stack import Stack
from e2e.waiting import wait_for


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A `down` and an `up`. run: one that was in the middle. deployment: of before. left: what `down` left."""

    run: str
    deployment: str
    volumes: list[str]
    left: tuple[list[str], list[str], list[str]]


KEPT = {"docker": ["database", "leases", "results"], "local": ["database", "results"]}
"""The volumes of a platform of one pool."""


@pytest.fixture(scope="module")
def round_trip(running: Stack) -> RoundTrip:
    """The platform that runs, taken down in the middle of a flow run, and brought back."""
    run, volumes = running.server.start_slow_run(seconds=5), running.machine.volumes()
    deployment = str(running.server.ask("GET", "/deployments/name/hello/hello")["id"])
    running.must("down")
    left = running.holdings()
    running.must("up")
    return RoundTrip(run, deployment, volumes, left)


def test_down_leaves_the_data_and_nothing_else(running: Stack, round_trip: RoundTrip) -> None:
    assert [name.partition("_")[2].partition("-")[0] for name in round_trip.volumes] == KEPT[running.machine.runtime]
    assert round_trip.left == ([], [], round_trip.volumes)


def test_a_run_that_is_in_the_middle_finishes_before_it_is_down(running: Stack, round_trip: RoundTrip) -> None:
    assert running.server.state(round_trip.run) == "COMPLETED"


def test_up_after_down_finds_its_deployments_again(running: Stack, round_trip: RoundTrip) -> None:
    assert running.server.ask("GET", "/deployments/name/hello/hello")["id"] == round_trip.deployment


def test_the_data_is_not_deleted_unless_somebody_says_yes(running: Stack) -> None:
    before, volumes = running.starts(), running.machine.volumes()
    result = running.ctl("down", "--volumes")
    assert result.code == 1
    assert len(volumes) == len(KEPT[running.machine.runtime])
    assert all(volume in result.err for volume in volumes)
    assert (running.starts(), running.machine.volumes()) == (before, volumes)


def test_down_with_volumes_removes_even_what_was_only_begun(new_stack: NewStack) -> None:
    stack = new_stack()
    with stack.begin("up") as process:
        wait_for(
            "its data is there, and what uses it", lambda: stack.instances() and stack.machine.volumes(), seconds=120
        )
        os.killpg(process.pid, signal.SIGKILL)
    stack.must("down", "--volumes", "--yes")
    assert stack.holdings() == ([], [], [])


def test_down_of_nothing_is_fine(new_stack: NewStack) -> None:
    stack = new_stack()
    assert "Nothing to do: the platform isn't running." in stack.must("down")
    assert "Nothing to do: the platform isn't running." in stack.must("down", "--volumes", "--yes")
