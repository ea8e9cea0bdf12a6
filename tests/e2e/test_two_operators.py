"""Two operators, each with a folder of one platform, on one engine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import docker.errors
import pytest
from docker import DockerClient

from e2e.project import read_files, restore_files
from e2e.stack import Stack
from e2e.waiting import step, wait_for


@pytest.fixture
def operators(running_docker: Stack) -> Iterator[tuple[Stack, Stack]]:
    """The platform that runs, seen from the folder that it was started from and from a copy of it elsewhere.

    It is brought back to what it was in the end.
    """
    first, files = running_docker, read_files(running_docker.folder)
    folder = first.folder.with_name(f"{first.folder.name}-second")
    subprocess.run(["cp", "-a", first.folder, folder], check=True)
    yield first, replace(first, folder=folder)
    restore_files(first.folder, files)
    first.must("up")
    shutil.rmtree(folder)


def _has_lock(engine: DockerClient, stack: Stack) -> bool:
    try:
        engine.volumes.get(f"{stack.name}_lock")
    except docker.errors.NotFound:
        return False
    return True


def _next_line(process: subprocess.Popen[str], words: str) -> str:
    """Return the next line with some words in it that a process writes."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return line
    pytest.fail(f"no line says {words!r}: {''.join(lines)}")


def test_the_second_operator_sees_what_the_first_did(operators: tuple[Stack, Stack]) -> None:
    first, second = operators
    starts = first.starts()
    step("Right after `up` in the first folder there is nothing to do in the second.")
    assert second.ctl("plan", "--check").code == 0
    second.must("up")
    assert first.starts() == starts
    step("The second changes something: nothing else is replaced, and the first replaces nothing either.")
    for operator in operators:
        operator.edit("workers = 1", "workers = 2")
    second.must("up")
    grown = second.starts()
    assert grown.items() > starts.items()
    first.must("up")
    assert first.starts() == grown


def test_the_second_operator_waits_for_the_first_and_goes_on_when_it_is_killed(
    operators: tuple[Stack, Stack], engine: DockerClient
) -> None:
    first, second = operators
    for operator in operators:
        operator.edit("workers = 1", "workers = 2")
    with first.begin("up") as ahead:
        wait_for("the first has the lock", lambda: _has_lock(engine, first))
        os.killpg(ahead.pid, signal.SIGSTOP)
        with second.begin("up") as behind:
            step("The second names who it waits for.")
            line = _next_line(behind, "Waiting for `platformctl up`")
            assert f"process {ahead.pid}," in line
            step("The first is killed: the second says so and goes on.")
            os.killpg(ahead.pid, signal.SIGKILL)
            ahead.wait()
            assert "did not finish" in _next_line(behind, f"process {ahead.pid},")
            assert behind.wait(timeout=300) == 0
    assert second.ctl("plan", "--check").code == 0
    assert not _has_lock(engine, first)
