"""A platform of local processes, looked at through the kernel and the files on disk."""

import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from e2e.machine import Instance, RuntimeName
from e2e.stack import Stack

HOME, SERVICE = "PLATFORMCTL_HOME", "SUPERVISOR_GROUP_NAME"
"""The variables that tell whose a process is, and which service's; the supervisor has no service."""


@dataclass(frozen=True, slots=True)
class Found:
    """A process with its environment variables, as they were when it began."""

    process: psutil.Process
    environment: dict[str, str]

    @property
    def service(self) -> str:
        """The service that it belongs to; empty for the supervisor."""
        return self.environment.get(SERVICE, "")

    @property
    def command_line(self) -> list[str]:
        """Its command line; empty where it has ended."""
        with suppress(psutil.Error):
            return self.process.cmdline()
        return []

    @property
    def parent(self) -> int:
        """The process that started it, or that has it since that one ended; 0 where it has ended itself."""
        with suppress(psutil.Error):
            return self.process.ppid()
        return 0


@dataclass(frozen=True, slots=True)
class LocalMachine:
    """The name of the platform, and the folder of its project."""

    name: str
    folder: Path
    runtime: RuntimeName = "local"
    manifest: str = "supervisord.conf"

    def seen_from(self, folder: Path) -> "LocalMachine":
        """Return the same for a project that was moved to a folder."""
        return replace(self, folder=folder)

    @property
    def home(self) -> Path:
        """The folder of what runs."""
        return self.folder / ".platform" / "local"

    @property
    def data(self) -> Path:
        """The folder of what is kept."""
        return self.folder / ".platform" / "data"

    def processes(self) -> list[Found]:
        """Return all processes that were started for the folder, and those that work in it since it was moved here."""
        return [found for found in _marked() if found.environment[HOME] == str(self.home) or self._works_here(found)]

    def roots(self) -> dict[str, list[Found]]:
        """Return of each service the processes that none of its own started, oldest first; a second one runs it twice."""
        found = self.processes()
        services = {each.process.pid: each.service for each in found}
        roots: dict[str, list[Found]] = defaultdict(list)
        for each in sorted(found, key=lambda found: found.process.create_time()):
            if each.service and each.command_line and services.get(each.parent) != each.service:
                roots[each.service].append(each)
        return dict(roots)

    def supervisors(self) -> list[psutil.Process]:
        """Return the processes that keep the others."""
        return [found.process for found in self.processes() if not found.service]

    def instances(self, role: str | None = None) -> dict[str, Instance]:
        """Return the processes that the supervisor started as instances, those that have ended not among them."""
        return {
            service: _instance(roots[-1])
            for service, roots in self.roots().items()
            if role in (None, service.partition("-")[0])
        }

    def volumes(self) -> list[str]:
        """Return the folders of data, named as volumes are."""
        return sorted(f"{self.name}_{path.name}" for path in self.data.glob("*"))

    def networks(self) -> list[str]:
        """There are none."""
        return []

    def images(self) -> list[str]:
        """Return the images that are whole."""
        found = (path for path in (self.home / "images" / self.name).glob("*/*") if not path.name.startswith("."))
        return sorted(f"{self.name}/{path.parent.name}:{path.name}" for path in found)

    def dependencies(self, image: str) -> list[str]:
        """Return the virtual environment that an image links to."""
        return [str((self.home / "images" / image.replace(":", "/") / "environment").resolve())]

    def command_lines(self) -> str:
        """Return what the kernel says."""
        return "\n".join(" ".join(found.command_line) for found in self.processes())

    def environments(self, service: str) -> str:
        """Return what the kernel says."""
        found = [each.environment for each in self.processes() if each.service == service]
        return "\n".join(f"{name}={value}" for environment in found for name, value in environment.items())

    def execute(self, service: str, *words: str) -> str:
        """Run a command with the environment and the folder of a service's process."""
        found = self.roots()[service][-1]
        commands = (self.home / found.command_line[0]).parent
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            cwd=found.process.cwd(),
            env={**found.environment, "PATH": f"{commands}{os.pathsep}{found.environment['PATH']}"},
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def kill(self, service: str) -> None:
        """Kill a service's process, and not those that it started: the supervisor starts another."""
        self.roots()[service][-1].process.kill()

    def crash(self, service: str) -> None:
        """End a service's process by the signal that it knows."""
        self.roots()[service][-1].process.terminate()

    def lose(self, service: str) -> None:
        """Kill it: a process has nothing that could be removed."""
        self.kill(service)

    def remains(self) -> list[str]:
        """Return what is left but logs, and environments that were lent and not used."""
        left = [f"process {found.process.pid} ({' '.join(found.command_line)})" for found in self.processes()]
        return [*left, *self.volumes(), *self.images()]

    def sweep(self) -> None:
        """Kill what runs, and remove the data and the environments; the logs stay for who looks into a failure."""
        processes = [found.process for found in self.processes()]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)
        for folder in (self.data, self.home / "environments"):
            shutil.rmtree(folder, ignore_errors=True)

    def _works_here(self, found: Found) -> bool:
        with suppress(psutil.Error):
            return Path(found.process.cwd()).is_relative_to(self.home)
        return False


def local_machine(stack: Stack) -> LocalMachine:
    """Return what holds a local platform."""
    assert isinstance(stack.machine, LocalMachine)
    return stack.machine


def _marked() -> Iterator[Found]:
    """Every process of any local platform that this user may look at."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment = process.environ()
            if HOME in environment:
                yield Found(process, environment)


def _instance(found: Found) -> Instance:
    """Its command begins with images/NAME/IMAGE/TAG/environment, as seen from the supervisor's folder."""
    _, name, image, tag, *_ = found.command_line[0].split("/")
    start = f"{found.process.pid} {found.process.create_time()}"
    return Instance(start, f"{name}/{image}:{tag}", is_running=True)
