"""The Docker runtime: the engine's API for what is there, Compose for what is to be."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from platformctl.adapters.processes import port_holder
from platformctl.model import labels
from platformctl.model.deployment import Described
from platformctl.model.observed import BuiltImage, ImageSize, Machine
from platformctl.runtimes.described import read_described
from platformctl.runtimes.docker.bundle import describe_docker, render_compose
from platformctl.runtimes.docker.keeper import VolumeKeeper
from platformctl.runtimes.docker.site import DESCRIBE, REQUEST
from platformctl.runtimes.machine import check_address, check_free
from platformctl.runtimes.runtime import BuildOptions, Line
from platformctl.spec.load import Project
from platformctl.stack.describe import Stack
from platformctl.stack.files import Files
from platformctl.stack.images.context import WorkerImage
from platformctl.stack.names import SERVER, deploy_name
from platformctl.stack.worker import RESULTS_VARIABLE

if TYPE_CHECKING:
    from platformctl.adapters.compose import Compose
    from platformctl.adapters.engine import Engine


class DockerRuntime:
    """A platform on one Docker engine."""

    name = "docker"
    note = ""

    def __init__(self, project: Project, *, patience: int = 120) -> None:
        """`describe` and `render_bundle` ask no engine. patience: seconds for its first answer."""
        self._project, self._patience = project, patience
        self._platform = project.spec.platform.name

    @functools.cached_property
    def _engine(self) -> "Engine":
        from platformctl.adapters.engine import Engine  # noqa: PLC0415  # half a second, for commands that need it

        return Engine(patience=self._patience)

    @functools.cached_property
    def _compose(self) -> "Compose":
        from platformctl.adapters.compose import Compose  # noqa: PLC0415  # half a second that only changes need

        return Compose(self._project.bundle)

    @functools.cached_property
    def keeper(self) -> VolumeKeeper:
        """What is kept with the platform, on the engine."""
        return VolumeKeeper(self._engine, self._platform)

    def check_engine(self) -> None:
        """Raise EngineError where no engine answers."""
        _ = self._engine

    def describe(self, project: Project) -> Stack:
        """Return what runs of a project."""
        return describe_docker(project)

    def render_bundle(self, stack: Stack) -> Files:
        """Return the files that a stack runs from."""
        return render_compose(stack)

    def check_tools(self) -> None:
        """Raise EngineError where Compose or Buildx is missing or too old."""
        self._compose.check_version()

    def check_machine(self) -> None:
        """Raise PreflightError where somebody else has the server's port, or where the disk is full."""
        port = self._project.spec.server.port
        container, process = self._engine.port_holder(port), port_holder(port)
        is_former = process is not None and process.is_of(self._project.local)
        holder = f"the container {container!r}" if container else str(process) if process else None
        check_address(self._project, holder, is_own=is_former or container == f"{self._platform}-{SERVER}")
        free = self._engine.free_bytes()
        if free is not None:
            check_free(free, "where Docker keeps its data", "docker system df")

    def has_port(self) -> bool:
        """Whether the platform's own server has its port."""
        return self._engine.port_holder(self._project.spec.server.port) == f"{self._platform}-server"

    def observe(self, images: Sequence[str]) -> Machine:
        """Return what the engine holds of the platform."""
        return self._engine.observe(self._platform, images)

    def check_image(self, image: str) -> None:
        """Raise PreflightError where an image is neither on the engine nor in its registry."""
        self._engine.check_image(image)

    def digest_of(self, image: str) -> str:
        """Return the digest that an image's tag has in its registry now; raises PreflightError."""
        return self._engine.digest_of(image)

    def pull(self, image: str, report: Line) -> None:
        """Pull an image."""
        self._engine.pull(image, report)

    def build(self, image: WorkerImage, options: BuildOptions, report: Line) -> None:
        """Build a worker image with Buildx."""
        self._compose.build(
            image.name,
            image.reference,
            secrets=options.secrets,
            use_cache=options.use_cache,
            push=options.push,
            platforms=options.platforms,
            labels={labels.PLATFORM: self._platform},
            report=report,
        )

    def start(self, services: Sequence[str], *, recreate: bool = False) -> None:
        """Have Compose create, replace or start services."""
        self._compose.start(services, recreate=recreate)

    def stop(self, instances: Sequence[str], *, grace: int) -> None:
        """Stop and remove instances, all at once."""
        pool = ThreadPoolExecutor(max_workers=max(len(instances), 1))
        try:
            list(pool.map(functools.partial(self._engine.remove_container, grace=grace), instances))
        finally:
            pool.shutdown(wait=False)  # an interrupt doesn't wait for the end of a drain

    def copy_results(self, service: str, source: str) -> None:
        """Copy a volume to where a worker persists results, in a container such as the worker's own."""
        copy = f'cp --archive --update /{source}/. "${RESULTS_VARIABLE}"'
        self._compose.run_beside(service, ["sh", "-c", copy], {source: f"/{source}"})

    def describe_flows(self, image: str, report: Line) -> Described:
        """Return what the flows of an image are, as a container of it tells."""
        command = ("python", "-B", DESCRIBE, REQUEST)
        return read_described(image, lambda read: self._compose.run(deploy_name(image), command, read), report)

    def last_lines(self, instance: str) -> str:
        """Return the last lines that an instance wrote."""
        return self._engine.last_lines(instance)

    def health_output(self, instance: str) -> str:
        """Return what an instance's last health check said."""
        return self._engine.health_output(instance)

    def logs(self, services: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
        """Yield lines that services wrote."""
        return self._compose.logs(services, follow=follow, tail=tail)

    def remove_network(self, name: str) -> None:
        """Remove a network."""
        self._engine.remove_network(name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume with what is in it."""
        self._engine.remove_volume(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of the platforms whose containers were started from the project's bundle."""
        return self._engine.platforms_of(self._project.bundle)

    def built_images(self) -> tuple[BuiltImage, ...]:
        """Return the images that were built for the platform."""
        return self._engine.built_images(self._platform)

    def image_sizes(self, images: Sequence[str]) -> Mapping[str, ImageSize]:
        """Return how big images are."""
        return self._engine.image_sizes(images)

    def remove_image(self, image: str) -> None:
        """Remove an image, with the layers that no other one has."""
        self._engine.remove_image(image)

    def home(self) -> str | None:
        """Return the folder of the bundle that the platform was started from."""
        return self._engine.home_of(self._platform)
