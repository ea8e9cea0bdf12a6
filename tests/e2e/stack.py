"""One platform in a folder of its own, driven by the real command and looked at through what holds it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from e2e.machine import Instance, Machine
from e2e.project import write_project
from e2e.server import Server
from platformctl.model import releases

PLATFORMCTL = Path(sys.executable).with_name("platformctl")
NEWEST = releases.NEWEST.newest


class Settings(TypedDict, total=False):
    """What a test may want otherwise of a platform. grace: seconds."""

    prefect: str
    workers: int
    grace: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that it wrote."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Stack:
    """A platform: its project folder, its server's port, what holds it, and the platformctl that is run."""

    folder: Path
    port: int
    machine: Machine
    program: Path = PLATFORMCTL

    @property
    def name(self) -> str:
        """The platform's name."""
        return self.machine.name

    def ctl(self, *words: str, seconds: float = 300, environment: Mapping[str, str] | None = None) -> Result:
        """Run platformctl to its end, without a terminal. environment: variables on top of this process's own."""
        done = subprocess.run(
            [self.program, "-C", str(self.folder), *words],
            check=False,
            capture_output=True,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=seconds,
        )
        print(f"$ platformctl {' '.join(words)}\n{done.stdout}{done.stderr}-> {done.returncode}", flush=True)
        return Result(done.returncode, done.stdout, done.stderr)

    def must(self, *words: str) -> str:
        """Run platformctl, which must succeed, and return what it printed."""
        result = self.ctl(*words)
        assert result.code == 0, result.said
        return result.out

    @contextlib.contextmanager
    def begin(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start platformctl in a process group of its own; what is left of it ends with the body."""
        process = subprocess.Popen(
            [self.program, "-C", str(self.folder), *words],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    @contextlib.contextmanager
    def moved(self) -> Iterator["Stack"]:
        """Have the folder elsewhere for the body, whatever runs."""
        folder = self.folder.with_name(f"{self.folder.name}-moved")
        self.folder.rename(folder)
        try:
            yield Stack(folder, self.port, self.machine.seen_from(folder))
        finally:
            self._remove_what_prefect_wrote_meanwhile()
            folder.rename(self.folder)

    def _remove_what_prefect_wrote_meanwhile(self) -> None:
        """A server that still ran may have made its home anew at the old place, and platformctl nothing."""
        home = self.folder / ".platform" / "local" / "home"
        shutil.rmtree(home, ignore_errors=True)
        for folder in (home.parent, home.parent.parent, self.folder):
            if folder.exists():
                folder.rmdir()

    def edit(self, old: str, new: str, file: str = "platform.toml") -> None:
        """Replace a text in a file of the project; it must be there."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def server(self) -> Server:
        """Prefect's API, with the password of the platform."""
        return Server(f"http://127.0.0.1:{self.port}/api", self.secret("api_password"))

    @property
    def bundle(self) -> Path:
        """The folder of the rendered files."""
        return self.folder / ".platform" / "bundle"

    def secret(self, name: str) -> str:
        """Return a secret of the platform."""
        return (self.folder / ".platform" / "secrets" / name).read_text(encoding="utf-8").strip()

    def instances(self, role: str | None = None) -> dict[str, Instance]:
        """Return what runs the platform, or a role of it, by service."""
        return self.machine.instances(role)

    def starts(self, role: str | None = None) -> dict[str, str]:
        """Return service to what differs after its instance was replaced or started anew, and only then."""
        return {service: instance.start for service, instance in self.instances(role).items()}

    def holdings(self) -> tuple[list[str], list[str], list[str]]:
        """Return what is there of the platform: its services, networks and volumes."""
        return sorted(self.instances()), self.machine.networks(), self.machine.volumes()

    def remove(self) -> None:
        """Take the platform down with all that it has; fails where platformctl leaves something, which is removed then."""
        result = self.ctl("down", "--volumes", "--yes")
        left = self.machine.remains()
        self.machine.sweep()
        assert result.code == 0, result.said
        assert not left, f"`down --volumes` left {left}"


def create_stack(folder: Path, machine: Machine, **settings: Unpack[Settings]) -> Stack:
    """Write a project with an unused port into a folder; nothing is started."""
    port = free_port()
    wanted = {"prefect": NEWEST, "workers": 1, "grace": 60, **settings}
    write_project(folder, name=machine.name, port=port, runtime=machine.runtime, **wanted)
    return Stack(folder, port, machine)


def unused_name() -> str:
    """Return a name for a platform that no other one has."""
    return f"t{uuid.uuid4().hex[:6]}"


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
