"""A PostgreSQL of the user's own: on either runtime, and from the one to the other with all that it holds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from docker import DockerClient

from e2e.conftest import NewStack
from e2e.docker_machine import DockerMachine
from e2e.stack import free_port
from e2e.waiting import step, wait_for

pytestmark = pytest.mark.others

PASSWORD = "s3cret/with%signs:in@it"


@dataclass(frozen=True, slots=True)
class Database:
    """A running PostgreSQL. url: as platform.toml has it."""

    url: str
    address: str


@pytest.fixture
def database(engine: DockerClient) -> Iterator[Database]:
    """A PostgreSQL at an address that this machine and its containers reach."""
    address, port = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"], free_port()
    variables = {"POSTGRES_USER": "prefect", "POSTGRES_PASSWORD": PASSWORD}
    container = engine.containers.run(
        "postgres:17",
        detach=True,
        environment=variables,
        ports={"5432/tcp": (address, port)},
        tmpfs={"/var/lib/postgresql/data": ""},
    )
    try:
        ask = ["pg_isready", "--host", "127.0.0.1", "--username", "prefect"]
        wait_for("the database answers", lambda: container.exec_run(ask)[0], lambda code: code == 0)
        yield Database(f"postgresql://prefect:${{OWN_PASSWORD}}@{address}:{port}/prefect", f"{address}:{port}/prefect")
    finally:
        container.remove(force=True, v=True)


def test_its_history_comes_along_from_local_processes_to_docker(
    new_local_stack: NewStack, engine: DockerClient, database: Database
) -> None:
    stack = new_local_stack()
    stack.edit("[server]", f'[database]\nurl = "{database.url}"\n\n[server]')
    step("Without its password nothing is begun.")
    result = stack.ctl("up")
    assert result.code == 2
    assert "${OWN_PASSWORD}, which isn't set" in result.err
    assert not (stack.folder / ".platform" / "secrets").exists()
    step("With it, once, the platform runs, and a run ends; a later command needs no password.")
    assert stack.ctl("up", environment={"OWN_PASSWORD": PASSWORD}).code == 0
    run = stack.server.start_run("hello/hello")
    assert stack.server.await_end(run) == "COMPLETED"
    assert f"healthy, PostgreSQL at {database.address}" in stack.must("status")
    assert stack.ctl("plan", "--check").code == 0
    assert stack.machine.volumes() == [f"{stack.name}_results-default"]
    step("On Docker it is the same platform, with the same history, and no database of its own.")
    stack.edit('runtime = "local"', 'runtime = "docker"')
    moved = replace(stack, machine=DockerMachine(stack.name, engine))
    try:
        moved.must("up")
        assert "database" not in moved.instances()
        assert moved.server.state(run) == "COMPLETED"
        assert moved.server.await_end(moved.server.start_run("hello/hello")) == "COMPLETED"
        assert PASSWORD not in moved.machine.environments("server")
        step("Taking it down with its data leaves the database alone.")
        assert "Your own database was not touched" in moved.must("down", "--volumes", "--yes")
    finally:
        moved.remove()
        stack.edit('runtime = "docker"', 'runtime = "local"')
