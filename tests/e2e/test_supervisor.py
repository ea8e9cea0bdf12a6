"""What keeps local processes, and what becomes of them without it."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from e2e.conftest import NewStack
from e2e.local_machine import local_machine
from e2e.stack import Stack
from e2e.waiting import step, wait_for

SERVICES = {"server", "worker-default-1"}


@pytest.fixture(scope="module")
def typed(create_local: NewStack) -> Iterator[tuple[Stack, int]]:
    """A platform that was brought up from a session of its own, which was killed then, and the id of that session."""
    stack = create_local()
    try:
        with stack.begin("up") as process:
            _, err = process.communicate(timeout=300)
            assert process.returncode == 0, err
        yield stack, process.pid
    finally:
        stack.remove()


@pytest.fixture
def kept(typed: tuple[Stack, int]) -> Stack:
    return typed[0]


def _assert_kept_once(stack: Stack) -> None:
    """One supervisor, and of each service one process that it started."""
    machine = local_machine(stack)
    (supervisor,) = machine.supervisors()
    roots = machine.roots()
    assert roots.keys() == SERVICES
    assert {found.parent for roots_of_service in roots.values() for found in roots_of_service} == {supervisor.pid}
    assert [len(found) for found in roots.values()] == [1, 1]


def test_a_platform_outlives_the_session_that_typed_up(typed: tuple[Stack, int]) -> None:
    stack, session = typed
    assert session not in {os.getsid(found.process.pid) for found in local_machine(stack).processes()}
    assert stack.server.is_ready()
    _assert_kept_once(stack)


def test_up_goes_on_where_the_supervisor_was_killed(kept: Stack) -> None:
    step("A run is in the middle, and the supervisor is killed.")
    run = kept.server.start_slow_run(seconds=10)
    _kill_supervisor(kept)
    assert kept.server.is_ready()
    assert "its supervisor is gone" in kept.must("plan")
    kept.must("up")
    step("Another one keeps it all, nothing runs twice, and the run had its grace.")
    _assert_kept_once(kept)
    assert kept.server.state(run) == "COMPLETED"
    assert kept.ctl("plan", "--check").code == 0


def test_a_stale_pid_and_a_stale_socket_are_no_hindrance(kept: Stack) -> None:
    step("The supervisor and all that it kept are killed; its number is another process's now.")
    for found in local_machine(kept).processes():
        found.process.kill()
    home = local_machine(kept).home
    assert (home / "supervisor.sock").is_socket()
    (home / "supervisord.pid").write_text(f"{os.getpid()}\n", encoding="utf-8")
    kept.must("up")
    _assert_kept_once(kept)
    assert kept.server.is_ready()


def test_nothing_runs_twice_after_the_folder_was_moved(kept: Stack) -> None:
    run = kept.server.start_run("hello/hello")
    assert kept.server.await_end(run) == "COMPLETED"
    with kept.moved() as moved:
        moved.must("up")
        _assert_kept_once(moved)
        assert moved.server.state(run) == "COMPLETED"


def _kill_supervisor(stack: Stack) -> None:
    (supervisor,) = local_machine(stack).supervisors()
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for("the supervisor is gone", lambda: psutil.pid_exists(supervisor.pid), lambda exists: not exists)
