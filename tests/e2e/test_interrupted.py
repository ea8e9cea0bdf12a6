"""`up` that was killed or interrupted: the same command goes on, whatever was done."""

import os
import signal
from collections.abc import Callable

from e2e.conftest import NewStack
from e2e.docker_machine import DockerMachine
from e2e.machine import RuntimeName
from e2e.stack import Stack
from e2e.waiting import step, wait_for


def _is_there(service: str) -> Callable[[Stack], bool]:
    return lambda stack: service in stack.instances()


def _runs(service: str) -> Callable[[Stack], bool]:
    return lambda stack: service in stack.instances() and stack.instances()[service].is_running


MOMENTS: dict[RuntimeName, dict[str, Callable[[Stack], bool]]] = {
    "docker": {
        "as the database starts": _is_there("database"),
        "while it migrates": _runs("migrate"),
        "as the server starts": _runs("server"),
    },
    "local": {
        "between the images": lambda stack: len(stack.machine.images()) == 1,
        "as the server starts": _runs("server"),
        "as the worker starts": _runs("worker-default-1"),
    },
}
MIDDLE = {"docker": _runs("migrate"), "local": _runs("server")}


def test_up_goes_on_however_often_it_was_killed(new_stack: NewStack) -> None:
    stack = new_stack()
    for moment, is_there in MOMENTS[stack.machine.runtime].items():
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
        wait_for("it is in the middle", lambda: MIDDLE[stack.machine.runtime](stack), seconds=120)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    (line,) = err.strip().splitlines()
    assert line.startswith("Interrupted while ")
    assert line.endswith("Type the same command to continue.")


def test_a_worker_that_an_interrupted_drain_was_stopping_finishes_its_runs_and_is_replaced(changing: Stack) -> None:
    changing.edit("grace = 60", "grace = 120")
    changing.must("up")
    (before,) = changing.starts("worker").values()
    run = changing.server.start_slow_run(seconds=40)
    step("A drain is interrupted once the worker was told to stop.")
    with changing.begin("scale", "default=0") as draining:
        assert draining.stdout
        assert any("to finish" in line for line in iter(draining.stdout.readline, ""))
        wait_for("it knows", lambda: _said_by_worker(changing), lambda said: "to finish" in said)
        os.killpg(draining.pid, signal.SIGINT)
        draining.communicate(timeout=60)
    assert draining.returncode == 130
    step("The same platform again: the run isn't lost, and its worker serves the pool anew.")
    said = changing.must("up")
    assert "an interrupted command was stopping it" in said
    assert "crash" not in said
    assert changing.server.state(run) == "COMPLETED"
    assert list(changing.server.workers().values()) == ["ONLINE"]
    assert list(changing.starts("worker").values()) != [before]
    assert changing.ctl("plan", "--check").code == 0


def _said_by_worker(stack: Stack) -> str:
    """What a worker has written that the platform's files have no more, as while it is scaled away."""
    if isinstance(stack.machine, DockerMachine):
        return "".join(container.logs().decode() for container in stack.machine.containers("worker").values())
    return stack.ctl("logs", "worker-default-1").out
