"""What `up` and the containers' own policy make good after something died."""

import pytest

from e2e.conftest import NewStack
from e2e.stack import Stack
from e2e.waiting import step, wait_for


def test_a_server_that_was_killed_comes_back_and_runs_go_on(running: Stack) -> None:
    others = {service: start for service, start in running.starts().items() if service != "server"}
    step("The server is killed.")
    running.machine.kill("server")
    wait_for("the server is gone", running.server.is_ready, lambda is_ready: not is_ready)
    running.must("up")
    assert running.server.is_ready()
    assert running.starts().items() >= others.items()
    step("The worker of before takes a run, and ends it.")
    run = running.server.start_run("hello/hello")
    assert running.server.await_end(run) == "COMPLETED"


def test_a_server_that_crashes_comes_back_by_itself(running: Stack) -> None:
    before = running.starts("server")
    step("The server's process ends, as if it had crashed.")
    running.machine.crash("server")
    wait_for("the server has started anew", lambda: running.starts("server"), lambda starts: starts != before)
    wait_for("the server is ready", running.server.is_ready)


@pytest.fixture(scope="module")
def slow_run(running: Stack) -> str:
    """A flow run that goes on for longer than these tests."""
    return running.server.start_slow_run()


def test_a_run_that_goes_on_is_left_alone_by_up(running: Stack, slow_run: str) -> None:
    before = running.starts()
    running.must("up")
    assert running.server.state(slow_run) == "RUNNING"
    assert running.starts() == before


def test_the_run_of_a_worker_that_vanished_is_crashed_by_up(running: Stack, slow_run: str) -> None:
    step("Its worker vanishes.")
    running.machine.lose("worker-default-1")
    running.must("up")
    found = running.server.run(slow_run)
    assert found["state_type"] == "CRASHED"
    assert running.server.worker_of(slow_run) in found["state"]["message"]
    assert running.server.workers() == {f"{running.name}-worker-default-1": "ONLINE"}


def test_a_platform_whose_folder_was_moved_starts_anew_with_its_data(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.must("up")
    run = stack.server.start_run("hello/hello")
    stack.server.await_end(run)
    step("The folder is moved: what runs goes on, and could not start again.")
    with stack.moved() as moved:
        assert moved.ctl("plan", "--check").code == 3
        moved.must("up")
        assert moved.ctl("plan", "--check").code == 0
        assert moved.server.run(run)["state_type"] == "COMPLETED"
        moved.machine.crash("server")
        wait_for("the server is gone", moved.server.is_ready, lambda is_ready: not is_ready)
        wait_for("the server is ready again", moved.server.is_ready)
