"""A platform on a Docker engine, looked at through the engine's client."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import docker.errors
from docker import DockerClient
from docker.models.containers import Container

from e2e.machine import Instance, RuntimeName
from e2e.server import Json

LABEL = "io.platformctl"
_LAYERS_OF_FLOWS = 2


@dataclass(frozen=True, slots=True)
class DockerMachine:
    """The engine, and the name of the platform on it."""

    name: str
    engine: DockerClient
    runtime: RuntimeName = "docker"
    manifest: str = "compose.yaml"

    def seen_from(self, folder: Path) -> "DockerMachine":
        """An engine knows no folder."""
        return self

    def containers(self, role: str | None = None) -> dict[str, Container]:
        """Return the containers of the platform, or of a role, those that don't run among them, by service."""
        labels = [f"{LABEL}.platform={self.name}", *([f"{LABEL}.role={role}"] if role else [])]
        found = self.engine.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return {container.labels[f"{LABEL}.service"]: container for container in found}

    def inspect(self, role: str | None = None) -> dict[str, Json]:
        """Return what `docker inspect` says of the containers of the platform, by service."""
        return {service: container.attrs for service, container in self.containers(role).items()}

    def instances(self, role: str | None = None) -> dict[str, Instance]:
        """Return the containers as instances."""
        return {service: _instance(found) for service, found in self.inspect(role).items()}

    def volumes(self) -> list[str]:
        """Return the names of the platform's volumes."""
        return sorted(volume.name for volume in self.engine.volumes.list(filters=self._filter))

    def networks(self) -> list[str]:
        """Return the names of the platform's networks."""
        return sorted(str(network.name) for network in self.engine.networks.list(filters=self._filter))

    def images(self) -> list[str]:
        """Return the images of the platform."""
        tags = (tag for image in self.engine.images.list() for tag in image.tags)
        return sorted(tag for tag in tags if tag.startswith(f"{self.name}/"))

    def dependencies(self, image: str) -> list[str]:
        """Return all layers but the last ones, which are the flows'."""
        layers: list[str] = self.engine.images.get(image).attrs["RootFS"]["Layers"]
        return layers[:-_LAYERS_OF_FLOWS]

    def command_lines(self) -> str:
        """Return what `docker top` says of the containers that run."""
        alive = [container for container in self.containers().values() if container.status == "running"]
        lines = [line for container in alive for line in container.top(ps_args="-eo pid,args")["Processes"]]
        return "\n".join(" ".join(line) for line in lines)

    def environments(self, service: str) -> str:
        """Return what the kernel says in the container."""
        return self.execute(service, "sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'")

    def execute(self, service: str, *words: str) -> str:
        """Run a command in a container."""
        code, output = self.containers()[service].exec_run(list(words))
        assert isinstance(output, bytes)
        assert code == 0, output.decode()
        return output.decode().strip()

    def kill(self, service: str) -> None:
        """Kill a container: its restart policy leaves it alone then."""
        self.containers()[service].kill()

    def crash(self, service: str) -> None:
        """End a container's first process."""
        self.execute(service, "python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")

    def lose(self, service: str) -> None:
        """Remove a container."""
        self.containers()[service].remove(force=True)

    def remains(self) -> list[str]:
        """Return what is left."""
        return [*self.containers(), *self.volumes(), *self.networks(), *self.images()]

    def sweep(self) -> None:
        """Remove it all, the images too."""
        for container in self.containers().values():
            container.remove(force=True)
        for volume in self.engine.volumes.list(filters=self._filter):
            volume.remove(force=True)
        for network in self.engine.networks.list(filters=self._filter):
            network.remove()
        for image in self.images():
            with contextlib.suppress(docker.errors.ImageNotFound):
                self.engine.images.remove(image, force=True)

    @property
    def _filter(self) -> dict[str, str]:
        return {"label": f"{LABEL}.platform={self.name}"}


def _instance(found: Json) -> Instance:
    start = f"{found['Id'][:12]} {found['State']['StartedAt']}"
    return Instance(start, found["Config"]["Image"], is_running=found["State"]["Running"])
