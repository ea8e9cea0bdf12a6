"""`up` that was killed or interrupted: the same command goes on, whatever was done."""

import os
import signal
from collections.abc import Callable

import pytest

from e2e.conftest import NewStack
from e2e.stack import Stack
from e2e.waiting import step, wait_for


def _status(service: str, *statuses: str) -> Callable[[Stack], bool]:
    """Whether the container of a service is in one of some states."""

    def holds(stack: Stack) -> bool:
        found = stack.containers().get(service)
        return found is not None and found.status in statuses

    return holds


@pytest.mark.parametrize(
    "is_there",
    [_status("database", "created", "running"), _status("migrate", "running"), _status("server", "running")],
    ids=["as the database starts", "while it migrates", "as the server starts"],
)
def test_up_goes_on_after_it_was_killed(new_stack: NewStack, is_there: Callable[[Stack], bool]) -> None:
    stack = new_stack()
    step("The command and all that it has started is killed.")
    with stack.begin("up") as process:
        wait_for("it is in the middle", lambda: is_there(stack), seconds=120)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    step("The same command comes to its end.")
    stack.must("up")
    assert stack.ctl("plan", "--check").code == 0
    assert list(stack.server.workers().values()) == ["ONLINE"]


def test_an_interrupt_exits_130_and_says_that_the_same_command_goes_on(new_stack: NewStack) -> None:
    stack = new_stack(workers=0)
    with stack.begin("up") as process:
        wait_for("it is in the middle", lambda: _status("migrate", "running")(stack), seconds=120)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Type the same command to go on." in err
    assert "Traceback" not in err
