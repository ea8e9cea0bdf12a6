"""The seam between a plan and what carries it out: the verbs that a plan needs, whatever the platform runs on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from platformctl.model.deployment import Described
from platformctl.model.observed import BuiltImage, ImageSize, Machine
from platformctl.runtimes.keeper import Keeper
from platformctl.spec.load import Project
from platformctl.stack.describe import Stack
from platformctl.stack.files import Files
from platformctl.stack.images.context import WorkerImage

Line = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How images are built. secrets: id to file. platforms: as Buildx names them."""

    secrets: Mapping[str, Path]
    use_cache: bool = True
    push: bool = False
    platforms: tuple[str, ...] = ()


class Runtime(Protocol):
    """What carries a platform. Every method raises PlatformError for what it can't do."""

    name: str
    note: str
    """What its user is to be told of it before anything is changed; empty where there is nothing to tell."""

    @property
    def keeper(self) -> Keeper:
        """What is kept with the platform: the lock, marks."""

    def describe(self, project: Project) -> Stack:
        """Return what runs of a project: a pure function of its files."""

    def render_bundle(self, stack: Stack) -> Files:
        """Return the files that a stack runs from, path to content: a pure function."""

    def check_tools(self) -> None:
        """Raise EngineError where a tool that changes need is missing or too old."""

    def check_machine(self) -> None:
        """Raise PreflightError where the server's port is taken or the disk is full."""

    def observe(self, images: Sequence[str]) -> Machine:
        """Return what is there, and which of some images are."""

    def check_image(self, image: str) -> None:
        """Raise PreflightError where an image can't be pulled."""

    def digest_of(self, image: str) -> str:
        """Return the digest that an image's tag has in its registry now."""

    def pull(self, image: str, report: Line) -> None:
        """Fetch an image, reporting how far it is."""

    def build(self, image: WorkerImage, options: BuildOptions, report: Line) -> None:
        """Build a worker image, reporting each line of it."""

    def start(self, services: Sequence[str], *, recreate: bool = False) -> None:
        """Create, replace or start services, without waiting for them."""

    def stop(self, instances: Sequence[str], *, grace: int) -> None:
        """Stop and remove instances at once, killing what still runs after `grace` seconds."""

    def copy_results(self, service: str, source: str) -> None:
        """Copy a volume to where a worker persists results. What is newer there stays, and the volume does."""

    def describe_flows(self, image: str, report: Line) -> Described:
        """Return what the flows of an image are that deployments name, by the deployments' keys, reporting what they print.

        Raises ServiceError for a flow that can't be loaded.
        """

    def last_lines(self, instance: str) -> str:
        """Return the last lines that an instance wrote."""

    def health_output(self, instance: str) -> str:
        """Return what an instance's last health check said."""

    def logs(self, services: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
        """Yield lines that services wrote."""

    def remove_network(self, name: str) -> None:
        """Remove a network."""

    def remove_volume(self, name: str) -> None:
        """Remove a volume with what is in it."""

    def names(self) -> tuple[str, ...]:
        """Return the names of the platforms that run from the project's folder, where they may have others than the project's."""

    def built_images(self) -> tuple[BuiltImage, ...]:
        """Return the images that were built for the platform: no other platform's."""

    def image_sizes(self, images: Sequence[str]) -> Mapping[str, ImageSize]:
        """Return how big images are, reference to size; one that is gone is left out. This may take seconds."""

    def remove_image(self, image: str) -> None:
        """Remove an image that nothing runs from. One that is gone is fine."""

    def home(self) -> str | None:
        """Return the folder that the platform was started from, where that is known."""
