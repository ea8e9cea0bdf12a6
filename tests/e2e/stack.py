"""One platform in a folder of its own, driven by the real command and looked at through the engine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker.errors
from docker import DockerClient
from docker.models.containers import Container

from e2e.project import write_project
from e2e.server import Json, Server

PLATFORMCTL = Path(sys.executable).with_name("platformctl")
LABEL = "io.platformctl"
NEWEST = "3.8.8"


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
    """A platform: its project folder, its name, its server's port, and the engine that it runs on."""

    folder: Path
    name: str
    port: int
    engine: DockerClient

    def ctl(self, *words: str, seconds: float = 300, environment: Mapping[str, str] | None = None) -> Result:
        """Run platformctl to its end, without a terminal. environment: variables on top of this process's own."""
        done = subprocess.run(
            [PLATFORMCTL, "-C", str(self.folder), *words],
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
            [PLATFORMCTL, "-C", str(self.folder), *words],
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

    def containers(self, role: str | None = None) -> dict[str, Container]:
        """Return the containers of the platform, or of a role, those that don't run among them, by service."""
        labels = [f"{LABEL}.platform={self.name}", *([f"{LABEL}.role={role}"] if role else [])]
        found = self.engine.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return {container.labels[f"{LABEL}.service"]: container for container in found}

    def inspect(self, role: str | None = None) -> dict[str, Json]:
        """Return what `docker inspect` says of the containers of the platform, by service."""
        return {service: container.attrs for service, container in self.containers(role).items()}

    def starts(self, role: str | None = None) -> dict[str, str]:
        """Return service to container id and time of its last start: what differs after a change, and only then."""
        return {name: f"{found['Id'][:12]} {found['State']['StartedAt']}" for name, found in self.inspect(role).items()}

    def execute(self, service: str, *words: str) -> str:
        """Run a command in a container of the platform, which must succeed, and return what it wrote."""
        code, output = self.containers()[service].exec_run(list(words))
        assert isinstance(output, bytes)
        assert code == 0, output.decode()
        return output.decode().strip()

    def volumes(self) -> list[str]:
        """Return the names of the platform's volumes."""
        return sorted(volume.name for volume in self.engine.volumes.list(filters=self._filter))

    def networks(self) -> list[str]:
        """Return the names of the platform's networks."""
        return sorted(str(network.name) for network in self.engine.networks.list(filters=self._filter))

    def images(self) -> list[str]:
        """Return the worker images of the platform, NAME/IMAGE:TAG."""
        tags = (tag for image in self.engine.images.list() for tag in image.tags)
        return sorted(tag for tag in tags if tag.startswith(f"{self.name}/"))

    def remove(self) -> None:
        """Take the platform down with all that it has; fails where platformctl leaves something, which is removed then."""
        result = self.ctl("down", "--volumes", "--yes")
        left = [*self.containers(), *self.volumes(), *self.networks()]
        self._sweep()
        assert result.code == 0, result.said
        assert not left, f"`down --volumes` left {left}"

    @property
    def _filter(self) -> dict[str, str]:
        return {"label": f"{LABEL}.platform={self.name}"}

    def _sweep(self) -> None:
        for container in self.containers().values():
            container.remove(force=True)
        for volume in self.engine.volumes.list(filters=self._filter):
            volume.remove(force=True)
        for network in self.engine.networks.list(filters=self._filter):
            network.remove()
        for image in self.images():
            with contextlib.suppress(docker.errors.ImageNotFound):
                self.engine.images.remove(image, force=True)


def create_stack(
    folder: Path, engine: DockerClient, *, prefect: str = NEWEST, workers: int = 1, grace: int = 60
) -> Stack:
    """Write a project of an unused name and port into a folder; nothing is started. grace: seconds."""
    stack = Stack(folder, f"t{uuid.uuid4().hex[:6]}", free_port(), engine)
    write_project(folder, stack.name, stack.port, prefect=prefect, workers=workers, grace=grace)
    return stack


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
