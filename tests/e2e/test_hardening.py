"""How the containers of a platform are closed, as `docker inspect` tells it."""

import ipaddress
import socket

import pytest

from e2e.docker_machine import LABEL, DockerMachine
from e2e.stack import Stack
from e2e.waiting import step

_REACHED = """
import contextlib, socket, sys
for address in sys.argv[1:]:
    host, port = address.split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=3):
        print(address)
"""
_FILL_WITH_BYTES = """
import os
os.mkdir("/tmp/full")
try:
    with open("/tmp/full/0", "wb") as file:
        while True:
            file.write(bytes(2**20))
except OSError as error:
    print(error.strerror)
"""
_FILL_WITH_FILES = """
import itertools, os, pathlib
os.mkdir("/tmp/full")
try:
    for number in itertools.count():
        pathlib.Path(f"/tmp/full/{number}").touch()
except OSError as error:
    print(error.strerror)
"""


def test_no_container_runs_as_root(engine_view: DockerMachine) -> None:
    users = {service: found["Config"]["User"] for service, found in engine_view.inspect().items()}
    assert len(users) == 4
    assert [service for service, user in users.items() if user.partition(":")[0] in ("", "0", "root")] == []


def test_no_running_process_is_roots(engine_view: DockerMachine) -> None:
    alive = [name for name, found in engine_view.containers().items() if found.status == "running"]
    ids = {name: engine_view.execute(name, "id", "-u") for name in alive}
    assert ids.keys() == {"database", "server", "worker-default-1"}
    assert "0" not in ids.values()


def test_every_container_is_read_only_without_capabilities(engine_view: DockerMachine) -> None:
    for service, found in engine_view.inspect().items():
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert not host["CapAdd"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert not host["Privileged"], service


def test_every_container_has_limits_of_memory_processes_and_logs(engine_view: DockerMachine) -> None:
    for service, found in engine_view.inspect().items():
        host = found["HostConfig"]
        assert host["Memory"] == host["MemorySwap"] > 0, service
        assert host["PidsLimit"] == 2048, service
        assert [options for options in host["Tmpfs"].values() if "size=256m" not in options] == [], service
        assert host["LogConfig"]["Config"].keys() >= {"max-size", "max-file"}, service


def test_a_full_tmp_is_an_error_of_who_fills_it_and_the_worker_lives(
    running_docker: Stack, engine_view: DockerMachine
) -> None:
    before = running_docker.starts()
    for fill in (_FILL_WITH_BYTES, _FILL_WITH_FILES):
        assert engine_view.execute("worker-default-1", "python", "-c", fill) == "No space left on device"
        step("While it is full other flow runs go on.")
        run = running_docker.server.start_run("hello/hello")
        assert running_docker.server.await_end(run) == "COMPLETED"
        engine_view.execute("worker-default-1", "sh", "-c", "rm -r /tmp/full")
    assert running_docker.starts() == before


def test_processors_are_limited_where_that_is_asked_for(changing_docker: Stack, engine_view: DockerMachine) -> None:
    changing_docker.edit("grace = 60", "grace = 60\ncpus = 0.9")
    changing_docker.must("up")
    limits = {service: found["HostConfig"]["NanoCpus"] for service, found in engine_view.inspect().items()}
    assert limits == {"database": 0, "migrate": 0, "server": 0, "worker-default-1": 900_000_000}


def test_a_pool_without_the_internet_reaches_its_server_and_nothing_else(
    changing_docker: Stack, engine_view: DockerMachine
) -> None:
    networks = engine_view.engine.networks.list(names=["bridge", f"{engine_view.name}_platform"], greedy=True)
    gateways = [network.attrs["IPAM"]["Config"][0]["Gateway"] for network in networks]

    def reached(port: int) -> list[str]:
        asked = [f"{host}:{port}" for host in gateways] + ["169.254.169.254:80", "server:4200", "database:5432"]
        return engine_view.execute("worker-default-1", "python", "-c", _REACHED, *asked).split()

    with socket.create_server(("", 0)) as service:
        port = service.getsockname()[1]
        if f"{gateways[0]}:{port}" not in reached(port):
            pytest.skip("the engine's networks are not on this machine")
        changing_docker.edit("grace = 60", "grace = 60\ninternet = false")
        changing_docker.must("up")
        assert reached(port) == ["server:4200"]
        step("Nor does this machine answer at an address of the network that is left.")
        address = engine_view.inspect()["worker-default-1"]["NetworkSettings"]["Networks"]
        ((_, inside),) = address.items()
        near = [str(host) for host in list(ipaddress.ip_network(f"{inside['IPAddress']}/24", strict=False).hosts())[:8]]
        asked = [f"{host}:{port}" for host in near]
        assert engine_view.execute("worker-default-1", "python", "-c", _REACHED, *asked) == ""
    run = changing_docker.server.start_run("hello/hello")
    assert changing_docker.server.await_end(run) == "COMPLETED"


def test_every_lasting_container_has_a_health_check_and_restarts(engine_view: DockerMachine) -> None:
    for service, found in engine_view.inspect().items():
        is_lasting = service != "migrate"
        assert bool(found["Config"].get("Healthcheck")) == is_lasting, service
        assert (found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped") == is_lasting, service


def test_every_container_is_labelled(engine_view: DockerMachine) -> None:
    for service, found in engine_view.inspect().items():
        labels = found["Config"]["Labels"]
        assert labels[f"{LABEL}.platform"] == engine_view.name, service
        assert labels[f"{LABEL}.service"] == service
        assert labels[f"{LABEL}.role"] == service.partition("-")[0]
        assert labels[f"{LABEL}.release"], service


def test_the_database_is_reached_from_an_internal_network_only(engine_view: DockerMachine) -> None:
    found = engine_view.inspect("database")["database"]
    assert not found["HostConfig"]["PortBindings"]
    networks = [engine_view.engine.networks.get(name) for name in found["NetworkSettings"]["Networks"]]
    assert [network.attrs["Internal"] for network in networks] == [True]


def test_workers_share_no_network_with_the_database(engine_view: DockerMachine) -> None:
    inside = {name: set(found["NetworkSettings"]["Networks"]) for name, found in engine_view.inspect().items()}
    assert not inside["worker-default-1"] & inside["database"]


def test_the_server_is_published_on_the_loopback_address_only(
    running_docker: Stack, engine_view: DockerMachine
) -> None:
    published = {
        (service, binding["HostIp"], binding["HostPort"])
        for service, found in engine_view.inspect().items()
        for bindings in (found["HostConfig"]["PortBindings"] or {}).values()
        for binding in bindings
    }
    assert published == {("server", "127.0.0.1", str(running_docker.port))}


def test_no_container_reaches_the_engine(engine_view: DockerMachine) -> None:
    mounts = {mount["Source"] for found in engine_view.inspect().values() for mount in found["Mounts"]}
    assert [source for source in mounts if "docker.sock" in source] == []
