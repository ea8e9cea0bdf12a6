"""The processes of a local platform, told by the marks in their environment: real ones, that sleep."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from platformctl.adapters.processes import (
    Holder,
    end_marked,
    find_marked,
    is_alive,
    machine_memory,
    marks,
    port_holder,
)
from platformctl.waiting import wait_until

Start = Callable[..., subprocess.Popen[bytes]]
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)

_FIND = """\
import pathlib, sys
from platformctl.adapters.processes import find_marked
print([marked.pid for marked in find_marked(pathlib.Path(sys.argv[1]))])
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The local folder of a platform, as deep in it as they are."""
    folder = tmp_path / "acme" / ".platform" / "local"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def start() -> Iterator[Start]:
    """Give what starts a process with some variables, and end it with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(variables: dict[str, str], code: str = "import time; time.sleep(600)") -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ["PATH"]} | variables
        process = subprocess.Popen([sys.executable, "-ISc", code], env=environment, stdout=subprocess.PIPE)
        started.append(process)
        seen = wait_until(lambda: _environment(process.pid) == environment or None, seconds=20, pause=0.02)
        assert seen, "it never became what it is to be"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def of(program: str, label: str = "") -> dict[str, str]:
    """Return the variables that the supervisor gives a process."""
    return {"SUPERVISOR_GROUP_NAME": program, "SUPERVISOR_PROCESS_NAME": label}


def test_processes_of_a_platform_are_found_oldest_first(home: Path, start: Start) -> None:
    first = start(marks(home) | of("server", "1-server"))
    second = start(marks(home) | of("worker-dev-1"))

    found = find_marked(home)

    assert [(marked.pid, marked.program, marked.label) for marked in found] == [
        (first.pid, "server", "1-server"),
        (second.pid, "worker-dev-1", ""),
    ]
    assert found[0].started <= found[1].started


def test_processes_of_others_are_not_found(home: Path, tmp_path: Path, start: Start) -> None:
    start(marks(tmp_path) | of("server"))
    start(marks(home))
    start(of("server"))

    assert find_marked(home) == ()
    assert find_marked(home / "no-such-folder") == ()


def test_the_process_that_asks_is_not_one_of_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (marks(home) | of("server")).items():
        monkeypatch.setenv(name, value)
    pids = subprocess.check_output([sys.executable, "-c", _FIND, str(home)], text=True)
    assert pids == "[]\n"


def test_when_a_process_began_is_told_in_utc(home: Path, start: Start) -> None:
    process = start(marks(home) | of("server"))
    (found,) = find_marked(home)
    assert found.started == datetime.fromtimestamp(psutil.Process(process.pid).create_time(), UTC)
    assert found.started.tzinfo is UTC


def test_processes_are_known_where_their_folder_was_moved(home: Path, start: Start) -> None:
    process = start(marks(home) | of("server"))
    moved = home.rename(home.with_name("moved"))

    assert [marked.pid for marked in find_marked(moved)] == [process.pid]
    assert find_marked(home) == ()


def test_only_some_programs_are_ended_and_killed_if_they_stay(home: Path, start: Start) -> None:
    server, worker = start(marks(home) | of("server")), start(marks(home) | of("worker-dev-1"))
    stubborn = start(marks(home) | of("worker-dev-2"), _STUBBORN)
    assert stubborn.stdout
    assert stubborn.stdout.readline() == b"deaf\n"

    end_marked(home, ["worker-dev-1", "worker-dev-2"], grace=0.5)

    assert [psutil.pid_exists(process.pid) for process in (server, worker, stubborn)] == [True, False, False]


def test_who_listens_on_a_port_is_told_with_its_platform(home: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        own = port_holder(port)
    assert own
    assert str(own) == f"process {os.getpid()} ({psutil.Process().name()})"
    assert not own.is_of(home)
    assert port_holder(port) is None

    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); print(flush=True); time.sleep(600)"
    process = start(marks(home) | of("server"), code)
    assert process.stdout
    process.stdout.readline()
    found = port_holder(port)
    assert found
    assert found.is_of(home)
    assert not found.is_of(home.parent)
    assert str(found).endswith(f"of the platform in {home.parents[1]}")


def test_a_process_lives_until_it_has_ended_whether_its_parent_asked_or_not(start: Start) -> None:
    process = start({"A": "1"})
    assert is_alive(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid), "a zombie"
    process.wait()
    assert not is_alive(process.pid)


def test_memory_is_told_in_bytes() -> None:
    assert machine_memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_port_that_nobody_may_look_at_has_no_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: str) -> None:
        raise psutil.AccessDenied(msg=kind)

    monkeypatch.setattr(psutil, "net_connections", refuse)
    assert port_holder(1) is None


def test_a_holder_that_may_not_be_looked_at_is_told_by_its_pid(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: psutil.Process) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "environ", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = port_holder(server.getsockname()[1])
    assert found == Holder(str(os.getpid()), "", "")
    assert str(found) == f"process {os.getpid()}"


def _environment(pid: int) -> dict[str, str]:
    return dict(psutil.Process(pid).environ())
