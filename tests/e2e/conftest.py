"""What the end-to-end tests share: the runtimes, a platform that runs on each for all of them, and platforms of their own."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Unpack

import docker
import pytest
from docker import DockerClient
from docker.errors import DockerException

from e2e.docker_machine import DockerMachine
from e2e.local_machine import LocalMachine
from e2e.machine import RuntimeName
from e2e.project import read_files, restore_files
from e2e.stack import NEWEST, Settings, Stack, create_stack, unused_name

_RUNTIMES = [pytest.param("docker", marks=pytest.mark.engine), "local"]


class NewStack(Protocol):
    """Makes a project of its own for a test; nothing is started."""

    def __call__(self, **settings: Unpack[Settings]) -> Stack: ...


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What is about Docker only needs an engine too, and what is here brings up a platform."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue  # the hook is given all that is collected
        item.add_marker(pytest.mark.e2e)
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session", params=_RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> RuntimeName:
    """What the platforms of a test run on; each test that asks for one runs on both."""
    name: RuntimeName = request.param
    return name


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
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The virtual environments of a local platform of the newest Prefect: made once, and lent to every other one."""
    folder = tmp_path_factory.mktemp("environments")
    machine = LocalMachine(unused_name(), folder)
    stack = create_stack(folder, machine, workers=0)
    try:
        stack.must("up")
        stack.must("down")
        yield machine.home / "environments"
    finally:
        stack.remove()


@pytest.fixture(scope="session")
def create_docker(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> NewStack:
    """Makes projects for the engine; who asks for one removes it."""

    def create(**settings: Unpack[Settings]) -> Stack:
        return create_stack(tmp_path_factory.mktemp("docker"), DockerMachine(unused_name(), engine), **settings)

    return create


@pytest.fixture(scope="session")
def create_local(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> NewStack:
    """Makes projects for local processes; who asks for one removes it.

    The environments in them are the same files as those that are lent: platformctl never changes one.
    """

    def create(**settings: Unpack[Settings]) -> Stack:
        folder = tmp_path_factory.mktemp("local")
        machine = LocalMachine(unused_name(), folder)
        if settings.get("prefect", NEWEST) == NEWEST:
            machine.home.parent.mkdir()
            machine.home.mkdir(mode=0o700)
            shutil.copytree(environments, machine.home / "environments", symlinks=True, copy_function=os.link)
        return create_stack(folder, machine, **settings)

    return create


@pytest.fixture(scope="session")
def create(runtime: RuntimeName, request: pytest.FixtureRequest) -> NewStack:
    """Makes projects for a runtime; who asks for one removes it."""
    make: NewStack = request.getfixturevalue(f"create_{runtime}")
    return make


@pytest.fixture(scope="session")
def running_docker(create_docker: NewStack) -> Iterator[Stack]:
    """A platform that runs on the engine, for tests that only read it or put back what they change."""
    yield from _running(create_docker())


@pytest.fixture(scope="session")
def running_local(create_local: NewStack) -> Iterator[Stack]:
    """The same of local processes."""
    yield from _running(create_local())


@pytest.fixture(scope="session")
def engine_view(running_docker: Stack) -> DockerMachine:
    """What the engine says of the platform that runs on it."""
    assert isinstance(running_docker.machine, DockerMachine)
    return running_docker.machine


@pytest.fixture(scope="session")
def running(runtime: RuntimeName, request: pytest.FixtureRequest) -> Stack:
    """The platform that runs on a runtime."""
    stack: Stack = request.getfixturevalue(f"running_{runtime}")
    return stack


@pytest.fixture
def changing(running: Stack) -> Iterator[Stack]:
    """The platform that runs, for a test that changes its files: they are put back, and the platform with them."""
    yield from _changing(running)


@pytest.fixture
def changing_docker(running_docker: Stack) -> Iterator[Stack]:
    """The same on the engine."""
    yield from _changing(running_docker)


@pytest.fixture
def new_stack(create: NewStack) -> Iterator[NewStack]:
    """Platforms of a test's own on a runtime; they are removed with all that they have."""
    yield from _making(create)


@pytest.fixture
def new_docker_stack(create_docker: NewStack) -> Iterator[NewStack]:
    """The same on the engine."""
    yield from _making(create_docker)


@pytest.fixture
def new_local_stack(create_local: NewStack) -> Iterator[NewStack]:
    """The same of local processes."""
    yield from _making(create_local)


def _changing(stack: Stack) -> Iterator[Stack]:
    files = read_files(stack.folder)
    yield stack
    restore_files(stack.folder, files)
    stack.must("up")


def _running(stack: Stack) -> Iterator[Stack]:
    try:
        stack.must("up")
        yield stack
    finally:
        stack.remove()


def _making(create: NewStack) -> Iterator[NewStack]:
    made: list[Stack] = []

    def make(**settings: Unpack[Settings]) -> Stack:
        made.append(create(**settings))
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
