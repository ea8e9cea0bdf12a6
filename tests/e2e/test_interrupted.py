"""`up` that was killed or interrupted: the same command goes on, whatever was done."""

import os
import signal
from collections.abc import Callable

from e2e.conftest import NewStack
from e2e.stack import Stack
from e2e.waiting import step, wait_for


def _status(service: str, *statuses: str) -> Callable[[Stack], bool]:
    """Whether the container of a service is in one of some states."""

    def holds(stack: Stack) -> bool:
        found = stack.containers().get(service)
        return found is not None and found.status in statuses

    return holds


MOMENTS = {
    "as the database starts": _status("database", "created", "running"),
    "while it migrates": _status("migrate", "running"),
    "as the server starts": _status("server", "running"),
}


def test_up_goes_on_however_often_it_was_killed(new_stack: NewStack) -> None:
    stack = new_stack()
    for moment, is_there in MOMENTS.items():
        step(f"The command is killed, with all that it has started, {moment}.")
        _kill_up(stack, is_there)
    step("The same command comes to its end.")
    stack.must("up")
    assert stack.ctl("plan", "--check").code == 0
    assert list(stack.server.workers().values()) == ["ONLINE"]


def _kill_up(stack: Stack, is_there: Callable[[Stack], bool]) -> None:
    with stack.begin("up") as process:
        wait_for("it is in the middle", lambda: is_there(stack), seconds=120)
        assert process.poll() is None, "the command ended before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_an_interrupt_exits_130_and_says_that_the_same_command_goes_on(new_stack: NewStack) -> None:
    stack = new_stack(workers=0)
    with stack.begin("up") as process:
        wait_for("it is in the middle", lambda: _status("migrate", "running")(stack), seconds=120)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Type the same command to go on." in err
    assert "Traceback" not in err
