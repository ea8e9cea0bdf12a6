"""What the end-to-end tests share: the engine, a platform that runs for all of them, and platforms of their own."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import docker
import pytest
from docker import DockerClient
from docker.errors import DockerException

from e2e.project import read_files, restore_files
from e2e.stack import Stack, create_stack

_HERE = Path(__file__).parent


class NewStack(Protocol):
    """Makes a project of its own for a test; nothing is started."""

    def __call__(self, *, prefect: str = ..., workers: int = ..., grace: int = ...) -> Stack: ...


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything in this folder needs an engine."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    """The Docker engine. Without one the tests are skipped, or fail with PLATFORMCTL_REQUIRE_ENGINE=1."""
    try:
        client = docker.from_env(timeout=120)
    except DockerException as error:
        if os.environ.get("PLATFORMCTL_REQUIRE_ENGINE") == "1":
            pytest.fail(f"PLATFORMCTL_REQUIRE_ENGINE is 1, and no Docker engine answers: {error}")
        pytest.skip(f"no Docker engine answers: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def running(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A platform that runs, for tests that only read it or put back what they change."""
    stack = create_stack(tmp_path_factory.mktemp("running"), engine)
    try:
        stack.must("up")
        yield stack
    finally:
        stack.remove()


@pytest.fixture
def changing(running: Stack) -> Iterator[Stack]:
    """The platform that runs, for a test that changes its files: they are put back, and the platform with them."""
    files = read_files(running.folder)
    yield running
    restore_files(running.folder, files)
    running.must("up")


@pytest.fixture
def new_stack(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewStack]:
    """Platforms of a test's own; they are removed with all that they have."""
    made: list[Stack] = []

    def make(**settings: int | str) -> Stack:
        made.append(create_stack(tmp_path_factory.mktemp("own"), engine, **settings))  # type: ignore[arg-type]  # as NewStack says
        return made[-1]

    yield make
    _remove_all(made)


def _remove_all(stacks: Sequence[Stack]) -> None:
    failures: list[Exception] = []
    for stack in stacks:
        _attempt(stack.remove, failures)
    if failures:
        raise ExceptionGroup("platforms could not be removed", failures)


def _attempt(act: Callable[[], None], failures: list[Exception]) -> None:
    try:
        act()
    except Exception as error:  # noqa: BLE001  # the others are to be removed all the same
        failures.append(error)
