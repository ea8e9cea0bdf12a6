"""Two platforms on one machine, two commands on one platform, and a port that is somebody else's."""

import json
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from e2e.conftest import NewStack
from e2e.machine import RuntimeName
from e2e.stack import Result, Stack

HOLDER: dict[RuntimeName, Callable[[Stack], str]] = {
    "docker": lambda stack: f"the container '{stack.name}-server'",
    "local": lambda stack: f"of the platform in {stack.folder}",
}


@pytest.fixture(scope="module")
def twice(create: NewStack) -> Iterator[tuple[Stack, list[Result]]]:
    """A platform beside the one that runs, and what the two commands said that brought it up at once."""
    stack = create()
    try:
        with stack.begin("up") as one, stack.begin("up") as other:
            said = [(process, *process.communicate(timeout=300)) for process in (one, other)]
        yield stack, [Result(process.returncode, out, err) for process, out, err in said]
    finally:
        stack.remove()


def test_two_ups_at_once_both_succeed(twice: tuple[Stack, list[Result]]) -> None:
    stack, results = twice
    assert [result.code for result in results] == [0, 0], [result.said for result in results]
    idle = [result for result in results if "Nothing to do" in result.out]
    assert len(idle) == 1
    assert "Waiting for `platformctl up`" in idle[0].said
    assert stack.server.workers() == {f"{stack.name}-worker-default-1": "ONLINE"}


def test_two_platforms_do_not_see_each_other(running: Stack, twice: tuple[Stack, list[Result]]) -> None:
    neighbour, _ = twice
    for stack in (running, neighbour):
        status = json.loads(stack.must("status", "-o", "json"))
        assert status["name"] == stack.name
        assert [(pool["workers_wanted"], pool["workers_online"]) for pool in status["pools"]] == [(1, 1)]
        assert list(stack.server.workers()) == [f"{stack.name}-worker-default-1"]
        assert stack.ctl("plan", "--check").code == 0


def test_down_of_one_platform_leaves_the_other(running: Stack, twice: tuple[Stack, list[Result]]) -> None:
    neighbour, _ = twice
    before, data = running.starts(), running.holdings()
    neighbour.must("down", "--volumes", "--yes")
    assert running.starts() == before
    assert running.holdings() == data
    assert running.server.is_ready()


def test_a_port_of_another_process_is_named_before_anything_is_made(new_stack: NewStack) -> None:
    stack = new_stack()
    with socket.create_server(("127.0.0.1", stack.port)):
        result = stack.ctl("up")
    assert result.code == 1
    assert f"Port {stack.port} of 127.0.0.1 is taken" in result.err
    assert f"{os.getpid()} (" in result.err
    assert (stack.holdings(), stack.machine.images()) == (([], [], []), [])
    assert not (stack.folder / ".platform" / "secrets").exists()


def test_a_port_of_another_platform_is_named_with_what_holds_it(running: Stack, new_stack: NewStack) -> None:
    stack = new_stack()
    stack.edit(f"port = {stack.port}", f"port = {running.port}")
    result = stack.ctl("up")
    assert result.code == 1
    assert HOLDER[running.machine.runtime](running) in result.err
    assert stack.instances() == {}
