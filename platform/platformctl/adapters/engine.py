"""The Docker engine's API, through docker-py: what is there, and what is stopped, pulled and removed."""

import contextlib
import functools
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
import docker.context
import docker.errors

from platformctl.adapters.engine_errors import image_translated, translated
from platformctl.adapters.engine_images import find_built_images, follow_pull, measure_images
from platformctl.errors import EngineError
from platformctl.model import labels as label
from platformctl.model.observed import INTERRUPTED, BuiltImage, Health, ImageSize, Instance, Machine
from platformctl.waiting import wait_until

OLDEST_API = (1, 44)
"""The API of engine 25, the first with a health check's start interval."""
_STATE = "state"
"""The kind of volumes that hold no data but what their labels say."""
_TIMEOUT = 120
"""Seconds that a request may take."""
_LASTING = ("database", "server", "worker")
"""The roles of services that are started again when they end."""
_HOME = "com.docker.compose.project.working_dir"
_MOVED = "the platform's folder was moved, and it would not start again"


class Engine:
    """A Docker engine: the one of DOCKER_HOST, or of the Docker CLI's current context."""

    def __init__(self, *, host: str | None = None, patience: int = _TIMEOUT) -> None:
        """Connect; raises EngineError where no engine answers, or one that is too old.

        host: this machine's name, where it isn't the one that it gives itself. patience: seconds for the first answer.
        """
        address = _address()
        self._hostname = host or socket.gethostname()
        self._has_socket = address is None or address.startswith("unix://")
        with translated():
            self._api = docker.APIClient(base_url=address, version="auto", timeout=patience)
            self._api.timeout = _TIMEOUT
        spoken = str(self._api.api_version)
        if tuple(int(part) for part in spoken.split(".")) < OLDEST_API:
            remedy = "Install Docker Engine 25 or later, then type the same command."
            raise EngineError(
                f"The Docker engine is too old: its API is {spoken}, and {'.'.join(map(str, OLDEST_API))} is needed.",
                remedy=remedy,
            )

    def observe(self, platform: str, images: Iterable[str]) -> Machine:
        """Return what the engine holds of a platform, and which of some images it has."""
        labels = {"label": f"{label.PLATFORM}={platform}"}
        with translated():
            ids = [summary["Id"] for summary in self._api.containers(all=True, filters=labels)]
            instances = [instance for id_ in ids if (instance := self._instance(id_))]
            volumes = self._api.volumes(filters=labels)["Volumes"] or []
            networks = self._api.networks(filters=labels)
            present = frozenset(image for image in images if self._has_image(image))
            info = self._api.info()
        return Machine(
            tuple(sorted(instances, key=lambda instance: instance.name)),
            {volume["Name"]: _time(volume["CreatedAt"]) for volume in volumes if label.KIND not in volume["Labels"]},
            tuple(sorted(network["Name"] for network in networks)),
            present,
            int(info["MemTotal"]),
            int(info["NCPU"]),
        )

    def last_lines(self, container: str, count: int = 15) -> str:
        """Return the last lines that a container wrote; empty where it is gone."""
        try:
            with translated():
                output: bytes = self._api.logs(container, tail=count)
        except docker.errors.NotFound:
            return ""
        return output.decode(errors="replace").strip()

    def health_output(self, container: str) -> str:
        """Return what a container's last health check wrote; empty where there was none."""
        try:
            with translated():
                log = self._api.inspect_container(container)["State"].get("Health", {}).get("Log") or []
        except docker.errors.NotFound:
            return ""
        return str(log[-1]["Output"]).strip() if log else ""

    def check_image(self, image: str) -> None:
        """Raise PreflightError with the registry's words where an image is neither here nor in its registry."""
        with translated(), image_translated(image):
            if not self._has_image(image):
                self._api.inspect_distribution(image)  # type: ignore[no-untyped-call]  # as the stubs have it

    def digest_of(self, image: str) -> str:
        """Return the digest that an image's tag has in its registry now; raises PreflightError with the registry's words."""
        with translated(), image_translated(image):
            found = self._api.inspect_distribution(image)  # type: ignore[no-untyped-call]  # as the stubs have it
        return str(found["Descriptor"]["digest"])

    def pull(self, image: str, report: Callable[[str], None]) -> None:
        """Pull an image, reporting how many of its layers are there.

        Raises PreflightError with the registry's words where it can't be pulled.
        """
        with translated(), image_translated(image):
            follow_pull(image, self._api.pull(image, stream=True, decode=True), report)

    def remove_container(self, container: str, *, grace: int) -> None:
        """Stop a container, waiting `grace` seconds before it is killed, and remove it. One that is gone is fine.

        Its restart policy then says that it was told to stop. One that was told before isn't again: it would hurry.
        """
        try:
            with translated():
                if _was_told_to_stop(self._api.inspect_container(container)):
                    wait_until(lambda: self._has_ended(container) or None, seconds=grace, pause=0.5)
                else:
                    self._api.update_container(container, restart_policy={"Name": "no"})  # type: ignore[arg-type]  # the stubs lack it
                self._api.stop(container, timeout=grace)
                self._api.remove_container(container, force=True)
        except docker.errors.NotFound:
            return

    def remove_network(self, name: str) -> None:
        """Remove a network. One that is gone is fine."""
        with translated(), contextlib.suppress(docker.errors.NotFound):
            self._api.remove_network(name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume and what is in it. One that is gone is fine."""
        with translated(), contextlib.suppress(docker.errors.NotFound):
            self._api.remove_volume(name)

    def built_images(self, platform: str) -> tuple[BuiltImage, ...]:
        """Return the images that were built for a platform, with the containers of whatever platform that use them."""
        with translated():
            return find_built_images(self._api, platform)

    def image_sizes(self, images: Iterable[str]) -> dict[str, ImageSize]:
        """Return how big images are, by their references or ids."""
        with translated():
            return measure_images(self._api, images)

    def remove_image(self, image: str) -> None:
        """Remove an image by its reference or its id. One that is gone is fine."""
        with translated(), contextlib.suppress(docker.errors.NotFound):
            self._api.remove_image(image)

    def create_state(self, platform: str, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Create a volume that holds nothing but labels, and return them: those of the one that is there, if one is.

        Raises EngineError where that one is no such volume.
        """
        with translated():
            wanted = {label.PLATFORM: platform, label.KIND: _STATE, **labels}
            found = self._api.create_volume(name, labels=wanted)["Labels"] or {}
        if found.get(label.KIND) != _STATE:
            remedy = "Choose another platform.name, or remove that volume if nobody needs it."
            raise EngineError(f"The volume {name!r} exists already, and platformctl didn't create it.", remedy=remedy)
        return found

    def state_volumes(self, platform: str) -> dict[str, Mapping[str, str]]:
        """Return the volumes of a platform that hold nothing but labels, name to labels."""
        labels = {"label": [f"{label.PLATFORM}={platform}", f"{label.KIND}={_STATE}"]}
        with translated():
            volumes = self._api.volumes(filters=labels)["Volumes"] or []
        return {str(volume["Name"]): volume["Labels"] for volume in volumes}

    def remove_state_volume(self, name: str) -> None:
        """Remove a volume that holds nothing but labels. One that is gone is fine."""
        self.remove_volume(name)

    def port_holder(self, port: int) -> str | None:
        """Return the name of the container that publishes a port of the host, if one does."""
        with translated():
            summaries = self._api.containers(filters={"publish": f"{port}/tcp"})
        return next((str(summary["Names"][0]).lstrip("/") for summary in summaries), None)

    def home_of(self, platform: str) -> str | None:
        """Return the folder that Compose started a platform from, if any of its containers is there."""
        with translated():
            summaries = self._api.containers(all=True, filters={"label": f"{label.PLATFORM}={platform}"})
        labels: list[Mapping[str, str]] = [summary["Labels"] for summary in summaries]
        return next((label.get(_HOME) for label in labels), None)

    def platforms_of(self, home: Path) -> tuple[str, ...]:
        """Return the names of the platforms that were started from a folder of this machine; none where the engine is another's."""
        labels = {"label": [f"{_HOME}={home}", label.PLATFORM]}
        with translated():
            summaries = self._api.containers(all=True, filters=labels) if self._is_here else []
        return tuple(sorted({str(summary["Labels"][label.PLATFORM]) for summary in summaries}))

    def free_bytes(self) -> int | None:
        """Return how many bytes are free where the engine keeps its data; None where that is another machine's."""
        _, root = self._host
        try:
            numbers = os.statvfs(root)
        except OSError:
            return None
        return numbers.f_bavail * numbers.f_frsize

    @functools.cached_property
    def _host(self) -> tuple[str, Path]:
        """The name of the engine's host, and the folder there where it keeps its data."""
        with translated():
            info = self._api.info()
        return str(info["Name"]), Path(info["DockerRootDir"])

    @functools.cached_property
    def _is_here(self) -> bool:
        """Whether the engine sees the files that this process sees: not so in a container that was lent its socket."""
        return self._has_socket and self._host[0] == self._hostname and not _is_missing(self._host[1])

    def _stranded(self, home: Path, mounts: Iterable[Mapping[str, str]]) -> str:
        """Why a container would not start again: its bundle is gone, and files beside it that it mounts are too.

        The bundle alone is written anew before anything starts. One that another machine started says nothing here.
        """
        if not _is_missing(home) or not self._is_here:
            return ""
        files = [Path(mount["Source"]) for mount in mounts if mount["Type"] == "bind"]
        return _MOVED if any(_is_missing(file) for file in files if not file.is_relative_to(home)) else ""

    def _has_image(self, image: str) -> bool:
        try:
            self._api.inspect_image(image)  # type: ignore[no-untyped-call]  # as the stubs have it
        except docker.errors.ImageNotFound:
            return False
        return True

    def _has_ended(self, container: str) -> bool:
        return not self._api.inspect_container(container)["State"]["Running"]

    def _instance(self, id_: str) -> Instance | None:
        try:
            found = self._api.inspect_container(id_)
        except docker.errors.NotFound:
            return None  # removed between the two questions
        labels, state, was_told = found["Config"]["Labels"], found["State"], _was_told_to_stop(found)
        return Instance(
            id=id_,
            name=found["Name"].lstrip("/"),
            service=labels.get(label.SERVICE, ""),
            role=labels.get(label.ROLE, ""),
            pool=labels.get(label.POOL),
            release=labels.get(label.RELEASE, ""),
            image=found["Config"]["Image"],
            status="stopping" if was_told and state["Status"] == "running" else state["Status"],
            health=_health(state),
            exit_code=state["ExitCode"],
            restarts=found["RestartCount"],
            started=_time(state["StartedAt"]),
            stranded=INTERRUPTED if was_told else self._stranded(Path(labels.get(_HOME, "/")), found["Mounts"]),
            drains=label.DRAINS in labels,
        )


def _address() -> str | None:
    """The engine's address; docker-py knows DOCKER_HOST, and not the context that the Docker CLI uses without it."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    context = docker.context.ContextAPI.get_current_context()
    return str(context.Host) if context and context.Host else None


def _health(state: Mapping[str, Any]) -> Health:
    """What a container's check says of it; nothing of one that has ended, of which the engine keeps the last word."""
    said: Health = (state.get("Health") or {}).get("Status", "none")
    return said if state["Status"] == "running" else "none"


def _was_told_to_stop(container: Mapping[str, Any]) -> bool:
    """Whether nobody would start a container again though it is no one-shot: whoever was to remove it was interrupted."""
    role = container["Config"]["Labels"].get(label.ROLE)
    return role in _LASTING and container["HostConfig"]["RestartPolicy"]["Name"] == "no"


def _is_missing(path: Path) -> bool:
    """Whether nothing is there; False where this user may not know."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
