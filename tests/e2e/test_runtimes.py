"""Which runtime a platform is brought up on, and how it moves to another one."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker import DockerClient

from e2e.conftest import NewStack
from e2e.docker_machine import DockerMachine
from e2e.local_machine import local_machine
from e2e.waiting import step

pytestmark = pytest.mark.others

DEAD = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
FALLBACK = "No Docker engine answers: the platform runs as local processes, with SQLite."


@pytest.fixture
def silent_engine(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that says nothing to who asks; it knows whether somebody did."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        listener.setblocking(False)
        yield listener


def test_auto_says_that_no_engine_answers_and_brings_it_up_all_the_same(new_local_stack: NewStack) -> None:
    stack = new_local_stack()
    stack.edit('runtime = "local"', 'runtime = "auto"')
    result = stack.ctl("up", environment=DEAD)
    assert result.code == 0, result.said
    assert [line.strip() for line in result.said.splitlines() if "engine" in line] == [FALLBACK]
    assert stack.server.workers() == {f"{stack.name}-worker-default-1": "ONLINE"}
    step("From now on it stays where its data is, whether an engine answers or not.")
    assert "Nothing to do" in stack.must("up")


def test_docker_without_an_engine_starts_nothing(new_local_stack: NewStack) -> None:
    stack = new_local_stack()
    stack.edit('runtime = "local"', 'runtime = "docker"')
    result = stack.ctl("up", environment=DEAD)
    assert result.code == 1
    assert "Docker" in result.err
    assert "Next:" in result.err
    assert stack.holdings() == ([], [], [])
    assert not (stack.folder / ".platform" / "secrets").exists()
    stack.edit('runtime = "docker"', 'runtime = "local"')


def test_local_never_asks_for_an_engine(new_local_stack: NewStack, silent_engine: socket.socket) -> None:
    stack = new_local_stack(workers=0)
    environment = {"DOCKER_HOST": f"unix://{silent_engine.getsockname()}"}
    for words in (["plan"], ["up"], ["status"], ["scale", "default=1"], ["down"]):
        result = stack.ctl(*words, environment=environment)
        assert result.code == 0, result.said
    with pytest.raises(BlockingIOError):
        silent_engine.accept()


def test_a_platform_moves_from_local_processes_to_docker(new_local_stack: NewStack, engine: DockerClient) -> None:
    stack = new_local_stack()
    stack.must("up")
    data = stack.machine.volumes()
    stack.edit('runtime = "local"', 'runtime = "docker"')
    moved = replace(stack, machine=DockerMachine(stack.name, engine))
    try:
        step("The plan shows what is taken down first.")
        assert "moves from local to docker" in moved.must("plan")
        moved.must("up")
        assert local_machine(stack).processes() == []
        assert moved.instances().keys() == {"database", "migrate", "server", "worker-default-1"}
        assert moved.server.workers() == {f"{stack.name}-worker-default-1": "ONLINE"}
        step("What the local platform knew stays on disk.")
        assert stack.machine.volumes() == data
    finally:
        moved.remove()
        stack.edit('runtime = "docker"', 'runtime = "local"')


def test_a_platform_moves_from_docker_to_local_processes(new_local_stack: NewStack, engine: DockerClient) -> None:
    stack = new_local_stack()
    on_docker = replace(stack, machine=DockerMachine(stack.name, engine))
    try:
        stack.edit('runtime = "local"', 'runtime = "docker"')
        on_docker.must("up")
        data = on_docker.machine.volumes()
        stack.edit('runtime = "docker"', 'runtime = "local"')
        step("The plan shows what is taken down first.")
        assert "moves from docker to local" in stack.must("plan")
        stack.must("up")
        assert on_docker.instances() == {}
        assert stack.instances().keys() == {"server", "worker-default-1"}
        assert "Nothing to do" in stack.must("up")
        step("What the engine's platform knew stays on the engine.")
        assert on_docker.machine.volumes() == data
    finally:
        on_docker.machine.sweep()
