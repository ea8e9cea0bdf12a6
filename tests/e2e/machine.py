"""What carries a platform, as the tests look at it and meddle with it: by means of their own, never through what is tested."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

RuntimeName = Literal["docker", "local"]


@dataclass(frozen=True, slots=True)
class Instance:
    """What runs a service: a container, or a process. start: differs once it is another one, or was started anew."""

    start: str
    image: str
    is_running: bool


class Machine(Protocol):
    """What holds one platform."""

    @property
    def name(self) -> str:
        """The platform's name."""

    @property
    def runtime(self) -> RuntimeName:
        """The name that platform.toml has for it."""

    @property
    def manifest(self) -> str:
        """The file of the bundle that says what is to run."""

    def seen_from(self, folder: Path) -> "Machine":
        """Return the same for a project that was moved to a folder."""

    def instances(self, role: str | None = None) -> dict[str, Instance]:
        """Return what runs the platform, or a role of it, by service; what has ended and is still there among it."""

    def volumes(self) -> list[str]:
        """Return the names of what holds the platform's data."""

    def networks(self) -> list[str]:
        """Return the names of the platform's networks."""

    def images(self) -> list[str]:
        """Return the images that were built for the platform, NAME/IMAGE:TAG."""

    def dependencies(self, image: str) -> list[str]:
        """Return what an image shares with those that have the same dependencies: layers, or an environment."""

    def command_lines(self) -> str:
        """Return the command lines of all processes of the platform."""

    def environments(self, service: str) -> str:
        """Return the environment variables of all processes of a service, those that it started among them."""

    def execute(self, service: str, *words: str) -> str:
        """Run a command where a service runs, which must succeed, and return what it wrote."""

    def kill(self, service: str) -> None:
        """Kill a service as an operator would."""

    def crash(self, service: str) -> None:
        """End the process of a service; its restart policy brings it back."""

    def lose(self, service: str) -> None:
        """Have a service vanish with nothing said to anybody."""

    def remains(self) -> list[str]:
        """Return what `down --volumes` should not have left, in words."""

    def sweep(self) -> None:
        """Remove all that is there of the platform."""
