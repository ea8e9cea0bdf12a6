"""The supervisor of local processes, on a real supervisord with programs that do next to nothing."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from platformctl.adapters.processes import is_alive
from platformctl.adapters.supervisor import Supervised, Supervisor
from platformctl.errors import SupervisorError
from platformctl.waiting import wait_until

_HEAD = """\
[unix_http_server]
file=/proc/self/cwd/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=supervisord.log
pidfile=supervisord.pid
"""
_PROGRAM = """\
[program:{name}]
process_name=label-of-{name}
command={command}
autostart=false
autorestart={is_restarted}
startsecs={settles}
startretries=0
"""
_SLEEP = "sleep 600"
_SHORT = "sh -c 'sleep 0.2; echo ran >> runs; exit 3'"
_DYING = "sh -c 'exit 3'"
_STUBBORN = "sh -c 'trap \"\" TERM; while :; do sleep 0.05; done'"


def write(folder: Path, **commands: str) -> Path:
    """Write a configuration of programs, name to command; those that sleep are restarted."""
    file = folder.parent / "supervisord.conf"
    programs = [
        _PROGRAM.format(
            name=name,
            command=command,
            is_restarted=str(command.startswith("sleep")).lower(),
            settles=int(command == _DYING),
        )
        for name, command in commands.items()
    ]
    file.write_text(_HEAD + "".join(programs), encoding="utf-8")
    return file


def make(folder: Path, **commands: str) -> Supervisor:
    """Return the supervisor of a folder that is too deep for a socket's address."""
    deep = folder / ("d" * 100) / "local"
    deep.mkdir(parents=True)
    return Supervisor(deep, write(deep, **commands), "supervisor.sock")


def found(supervisor: Supervisor) -> dict[str, Supervised]:
    return {process.program: process for process in supervisor.processes() or ()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("supervised")


@pytest.fixture(scope="module")
def supervisor(home: Path) -> Iterator[Supervisor]:
    """Give a supervisor that runs and keeps nothing yet."""
    made = make(home, one=_SLEEP, two=_SLEEP, stubborn=_STUBBORN, short=_SHORT, dying=_DYING)
    assert not made.is_running()
    made.launch({"PATH": os.environ["PATH"], "MINE": "1"})
    try:
        yield made
    finally:
        made.end()


def test_a_supervisor_that_keeps_nothing_runs(supervisor: Supervisor) -> None:
    assert supervisor.is_running()
    assert supervisor.processes() == ()


def test_what_is_started_runs_with_the_environment_of_the_launch(supervisor: Supervisor) -> None:
    supervisor.start(["one"], anew=False)

    (process,) = supervisor.processes() or ()
    assert (process.program, process.label, process.status) == ("one", "label-of-one", "running")
    environment = _process(process).environ()
    assert environment["MINE"] == "1"
    assert "HOME" not in environment


def test_what_runs_goes_on_unless_it_is_to_begin_anew(supervisor: Supervisor) -> None:
    supervisor.start(["one", "two"], anew=False)
    before = found(supervisor)

    supervisor.start(["one"], anew=False)
    assert found(supervisor)["one"].pid == before["one"].pid

    supervisor.start(["one"], anew=True)
    assert found(supervisor)["one"].pid != before["one"].pid
    assert not psutil.pid_exists(before["one"].pid)
    assert found(supervisor)["two"].pid == before["two"].pid


def test_what_another_configuration_has_is_replaced_and_all_else_goes_on(supervisor: Supervisor, home: Path) -> None:
    supervisor.start(["one", "two"], anew=False)
    before = found(supervisor)
    (folder,) = home.glob("*/local")
    write(folder, one="sleep 601", two=_SLEEP, stubborn=_STUBBORN, short=_SHORT, dying=_DYING)

    supervisor.start(["one", "two"], anew=False)

    after = found(supervisor)
    assert _process(after["one"]).cmdline() == ["sleep", "601"]
    assert after["two"].pid == before["two"].pid


def test_what_dies_at_once_is_no_refusal_and_gets_its_tries(supervisor: Supervisor) -> None:
    for _ in range(5):  # whether the supervisor has seen the end when it answers is a matter of milliseconds
        supervisor.start(["dying"], anew=True)
        assert wait_until(lambda: _dead(supervisor), seconds=20, pause=0.05)


def test_what_has_ended_says_with_which_code_and_starts_again(supervisor: Supervisor, home: Path) -> None:
    (folder,) = home.glob("*/local")
    for expected in ("ran\n", "ran\nran\n"):
        supervisor.start(["short"], anew=False)
        assert wait_until(functools.partial(_has_text, folder / "runs", expected), seconds=20, pause=0.05)
        ended = wait_until(lambda: _ended(supervisor), seconds=20, pause=0.05)
        assert ended
        assert ended.exit_code == 3


def test_what_is_stopped_is_forgotten_and_killed_if_it_stays(supervisor: Supervisor) -> None:
    supervisor.start(["one", "two", "stubborn"], anew=False)
    before = found(supervisor)

    supervisor.stop(["two", "stubborn"], grace=0.3)

    assert set(found(supervisor)) & {"one", "two", "stubborn"} == {"one"}
    assert [psutil.pid_exists(before[name].pid) for name in ("one", "two", "stubborn")] == [True, False, False]


def test_a_program_that_the_configuration_lacks_is_refused(supervisor: Supervisor) -> None:
    with pytest.raises(SupervisorError, match="The supervisor of the local processes refused: BAD_NAME"):
        supervisor.start(["never-heard-of"], anew=False)


def test_the_end_of_it_ends_what_it_keeps(tmp_path: Path) -> None:
    supervisor = make(tmp_path, one=_SLEEP)
    supervisor.launch({"PATH": os.environ["PATH"]})
    supervisor.start(["one"], anew=False)
    pid = found(supervisor)["one"].pid
    daemon = psutil.Process(pid).ppid()

    supervisor.end()

    assert not is_alive(daemon)
    assert not supervisor.is_running()
    assert supervisor.processes() is None
    assert not psutil.pid_exists(pid)
    supervisor.end()


def test_one_that_does_not_run_keeps_nothing_and_can_do_nothing(tmp_path: Path) -> None:
    supervisor = make(tmp_path, one=_SLEEP)
    assert supervisor.processes() is None
    with pytest.raises(SupervisorError, match="supervisor of the local processes is gone"):
        supervisor.start(["one"], anew=False)
    with pytest.raises(SupervisorError, match="supervisor of the local processes is gone"):
        supervisor.stop(["one"], grace=1)


def test_one_that_can_not_start_says_why(tmp_path: Path) -> None:
    supervisor = make(tmp_path, one="sleep %(nowhere)s")
    with pytest.raises(SupervisorError, match=r"can't start: Error: Format string 'sleep %\(nowhere\)s'") as failure:
        supervisor.launch({"PATH": os.environ["PATH"]})
    assert "logs/supervisord.log may say more" in failure.value.remedy
    assert not supervisor.is_running()


def _has_text(file: Path, text: str) -> bool | None:
    return True if file.exists() and file.read_text(encoding="utf-8") == text else None


def _process(supervised: Supervised) -> psutil.Process:
    """The process, once it is what it is to be: it begins as a fork of the supervisor."""
    process = psutil.Process(supervised.pid)
    assert wait_until(lambda: process.cmdline()[:1] == ["sleep"] or None, seconds=20, pause=0.02)
    return process


def _ended(supervisor: Supervisor) -> Supervised | None:
    process = found(supervisor).get("short")
    return process if process and process.status == "exited" else None


def _dead(supervisor: Supervisor) -> Supervised | None:
    process = found(supervisor).get("dying")
    return process if process and process.status == "dead" else None
