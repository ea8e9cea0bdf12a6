"""The supervisor of a platform's local processes, through its control interface.

It is asked through a socket in the platform's own folder, which no other user can open. Where nothing listens there, no
supervisor runs, whatever its pid file says.
"""

import os
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from supervisor.states import ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport

from platformctl.adapters.processes import is_alive
from platformctl.errors import SupervisorError
from platformctl.model.observed import Status
from platformctl.waiting import wait_until

_STATUSES: Mapping[int, Status] = {
    ProcessStates.STARTING: "running",
    ProcessStates.RUNNING: "running",
    ProcessStates.BACKOFF: "restarting",
    ProcessStates.STOPPING: "stopping",
    ProcessStates.EXITED: "exited",
    ProcessStates.FATAL: "dead",
    ProcessStates.UNKNOWN: "dead",
}
_GONE = (ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL)
_DONT_WAIT = False
_START_SECONDS, _END_SECONDS = 30.0, 30.0


@dataclass(frozen=True, slots=True)
class Supervised:
    """A process that the supervisor keeps. program, label: the names that the configuration gives its group and itself."""

    program: str
    label: str
    status: Status
    pid: int
    started: datetime
    exit_code: int


class Supervisor:
    """The supervisor of one platform, whether it runs or not."""

    def __init__(self, folder: Path, configuration: Path, socket: str) -> None:
        """folder: where it works. configuration: its file. socket: the name of its socket in the folder."""
        self._folder, self._configuration, self._socket = folder, configuration, socket

    def is_running(self) -> bool:
        """Whether it answers, be it that it is about to end."""
        try:
            return self._ask("getPID") is not None
        except _EndingError:
            return True

    def processes(self) -> tuple[Supervised, ...] | None:
        """Return what it keeps, except what was never started; None where it doesn't run."""
        found = self._ask("getAllProcessInfo")
        return None if found is None else tuple(_supervised(info) for info in found if info["state"] in _STATUSES)

    def launch(self, environment: Mapping[str, str]) -> None:
        """Start it as a daemon that outlives the shell; raises SupervisorError with its own words."""
        words = [
            sys.executable,
            "-m",
            "supervisor.supervisord",
            "-c",
            os.path.relpath(self._configuration, self._folder),
        ]
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            cwd=self._folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
        )
        if done.returncode or not wait_until(lambda: self.is_running() or None, seconds=_START_SECONDS, pause=0.05):
            said = (done.stderr or done.stdout).strip() or "it wrote nothing and doesn't answer"
            remedy = f"{self._folder / 'logs' / 'supervisord.log'} may say more. Correct the cause, then type the same command."
            raise SupervisorError(f"The supervisor of the local processes can't start: {said}", remedy=remedy)

    def start(self, programs: Sequence[str], *, anew: bool) -> None:
        """Start programs as the configuration has them now. anew: those that run too.

        One that dies at once is tried again like one that dies later, and who waits for it says what it wrote.
        """
        with self._asking() as server:
            ((_, changed, _),) = server.reloadConfig()
            active = {info["group"]: info for info in server.getAllProcessInfo()}
            for program in programs:
                if program in active and (anew or program in changed):
                    self._remove(server, active.pop(program), grace=_END_SECONDS)
                if program not in active:
                    server.addProcessGroup(program)
            for info in server.getAllProcessInfo():
                if info["group"] in programs and info["state"] not in (ProcessStates.STARTING, ProcessStates.RUNNING):
                    with _tolerated(Faults.ALREADY_STARTED, Faults.SPAWN_ERROR):
                        server.startProcess(f"{info['group']}:{info['name']}", _DONT_WAIT)

    def stop(self, programs: Sequence[str], *, grace: float) -> None:
        """Stop programs, all at once, and forget them; what still runs after `grace` seconds is killed."""
        with self._asking() as server:
            found = [info for info in server.getAllProcessInfo() if info["group"] in programs]
            for info in found:
                with _tolerated(Faults.NOT_RUNNING):
                    server.stopProcess(f"{info['group']}:{info['name']}", _DONT_WAIT)
            for info in found:
                self._remove(server, info, grace=grace)

    def end(self) -> None:
        """End it, with all that it keeps, and wait until its process is gone: it stops answering a little before."""
        try:
            pid = self._ask("getPID")
            self._ask("shutdown")
        except _EndingError:
            pid = None
        if not wait_until(lambda: None if self.is_running() else True, seconds=_END_SECONDS, pause=0.05) or pid is None:
            return
        wait_until(lambda: None if is_alive(pid) else True, seconds=_END_SECONDS, pause=0.02)

    def _remove(self, server: Any, info: Mapping[str, Any], *, grace: float) -> None:  # noqa: ANN401  # a remote object
        name = f"{info['group']}:{info['name']}"

        def is_gone() -> bool | None:
            return True if server.getProcessInfo(name)["state"] in _GONE else None

        with _tolerated(Faults.NOT_RUNNING):
            server.stopProcess(name, _DONT_WAIT)
        if not wait_until(is_gone, seconds=grace, pause=0.1):
            with _tolerated(Faults.NOT_RUNNING):
                server.signalProcess(name, "KILL")
            wait_until(is_gone, seconds=_END_SECONDS, pause=0.1)
        server.removeProcessGroup(info["group"])

    def _ask(self, method: str) -> Any:  # noqa: ANN401  # as the method answers
        """Ask; None where no supervisor runs."""
        try:
            with self._asking() as server:
                return getattr(server, method)()
        except _NotRunningError:
            return None

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        with self._address() as address:
            transport = SupervisorTransport(serverurl=f"unix://{address}")
            proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
            try:
                yield proxy.supervisor
            except xmlrpc.client.Fault as error:
                raise (
                    _EndingError if error.faultCode == Faults.SHUTDOWN_STATE else _refused(error.faultString)
                ) from error
            except xmlrpc.client.ProtocolError as error:
                raise _refused(error.errmsg) from error
            except (ConnectionError, FileNotFoundError) as error:
                raise _NotRunningError from error
            finally:
                transport.close()

    @contextmanager
    def _address(self) -> Iterator[str]:
        """A path to the socket that is short enough for one, however deep the folder lies."""
        if sys.platform != "linux" or not self._folder.is_dir():
            yield str(self._folder / self._socket)
            return
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}/{self._socket}"
        finally:
            os.close(descriptor)


class _NotRunningError(SupervisorError):
    """No supervisor answers."""

    def __init__(self) -> None:
        super().__init__("The supervisor of the local processes is gone.", remedy="Type the same command again.")


class _EndingError(SupervisorError):
    """The supervisor is told to end, and does nothing else any more."""

    def __init__(self) -> None:
        super().__init__(
            "The supervisor of the local processes is about to end.", remedy="Type the same command again."
        )


def _refused(words: object) -> SupervisorError:
    remedy = "`platformctl status` shows what runs. Correct the cause, then type the same command."
    return SupervisorError(f"The supervisor of the local processes refused: {words}", remedy=remedy)


@contextmanager
def _tolerated(*faults: int) -> Iterator[None]:
    """What is as it should be already is no failure."""
    try:
        yield
    except xmlrpc.client.Fault as error:
        if error.faultCode not in faults:
            raise


def _supervised(info: Mapping[str, Any]) -> Supervised:
    started = datetime.fromtimestamp(info["start"], UTC)
    return Supervised(info["group"], info["name"], _STATUSES[info["state"]], info["pid"], started, info["exitstatus"])
