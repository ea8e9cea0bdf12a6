"""What only the Docker CLI's plugins give, through python-on-whales: Compose on a bundle, and builds with Buildx."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from python_on_whales import ClientNotFoundError, DockerClient
from python_on_whales.exceptions import DockerException

from platformctl.errors import BuildError, EngineError, failed_build, failed_describing

OLDEST_COMPOSE = (2, 24)
Line = Callable[[str], None]


class Compose:
    """Compose on one bundle, and Buildx. Nothing here depends on the working directory."""

    def __init__(self, bundle: Path, command: str = "docker") -> None:
        """bundle: the folder that holds compose.yaml; it needn't be there yet. command: the Docker CLI."""
        self._bundle = bundle
        self._docker = DockerClient(
            compose_files=[bundle / "compose.yaml"], compose_profiles=["deploy", "spare"], client_call=[command]
        )

    def check_version(self) -> None:
        """Raise EngineError where Compose or Buildx is missing, or Compose is too old."""
        remedy = (
            "Install the Docker CLI with its Compose (2.24 or later) and Buildx plugins, then type the same command."
        )
        try:
            found = self._docker.compose.version()
            has_buildx = self._docker.buildx.is_installed()
        except (DockerException, ClientNotFoundError) as error:
            raise EngineError(f"Docker Compose doesn't answer: {_words(error)}", remedy=remedy) from error
        match = re.search(r"(\d+)\.(\d+)", found)
        if match and (int(match[1]), int(match[2])) < OLDEST_COMPOSE:
            raise EngineError(f"{found.strip()} is too old; 2.24 or later is needed.", remedy=remedy)
        if not has_buildx:
            raise EngineError("The Docker CLI has no Buildx.", remedy=remedy)

    def start(self, services: Sequence[str], *, recreate: bool = False) -> None:
        """Create, replace or start services as the bundle says, without waiting for them and without their dependencies."""
        with _translated():
            self._docker.compose.up(
                list(services),
                detach=True,
                dependencies=False,
                force_recreate=recreate,
                no_build=True,
                pull="never",
                quiet=True,
            )

    def run(self, service: str, command: Sequence[str], report: Line) -> None:
        """Run a command as a one-shot service, reporting each line; raises ServiceError with all of them where it fails."""
        lines: list[str] = []
        try:
            stream = self._docker.compose.run(
                service, list(command), dependencies=False, remove=True, tty=False, stream=True
            )
            for _, line in cast("Iterator[tuple[str, bytes]]", stream):
                lines.append(line.decode(errors="replace").rstrip())
                report(lines[-1])
        except DockerException as error:
            raise failed_describing(service.removeprefix("deploy-"), *lines) from error

    def run_beside(self, service: str, command: Sequence[str], volumes: Mapping[str, str]) -> None:
        """Run a command to its end in another container of a service. volumes: what it reads beside, to where."""
        mounts = [(name, target, "ro") for name, target in volumes.items()]
        with _translated():
            self._docker.compose.run(service, list(command), dependencies=False, remove=True, tty=False, volumes=mounts)

    def logs(self, services: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
        """Yield the lines of services, each behind its container's name."""
        lines = None if tail is None else str(tail)
        with _translated():
            for _, line in self._docker.compose.logs(list(services), follow=follow, tail=lines, stream=True):
                yield line.decode(errors="replace").rstrip("\n")

    def build(  # noqa: PLR0913  # what `build-image` lets its user choose
        self,
        name: str,
        reference: str,
        *,
        secrets: Mapping[str, Path],
        use_cache: bool = True,
        push: bool = False,
        platforms: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        report: Line = lambda _: None,
    ) -> None:
        """Build the bundle's context of an image.

        secrets: id of a build secret to the file that holds it. platforms: as Buildx names them; several need `push`.
        labels: of the image. report: called with each line of the build. Raises BuildError with the words of the step that failed.
        """
        lines: list[str] = []
        try:
            stream = self._docker.buildx.build(  # an iterator of lines: that is what stream_logs asks for
                self._bundle / "images" / name,
                tags=reference,
                secrets=[f"id={id_},src={file}" for id_, file in secrets.items()],
                cache=use_cache,
                push=push,
                load=not push,
                platforms=list(platforms) or None,
                labels=dict(labels or {}),
                progress="plain",
                provenance=False,
                stream_logs=True,
            )
            for line in cast("Iterator[str]", stream):
                lines.append(line.rstrip())
                if line.strip():
                    report(line.rstrip())
        except DockerException as error:
            raise self._explain(name, lines, error) from error

    def _explain(self, name: str, lines: Sequence[str], error: DockerException) -> BuildError:
        """Say what the failed step said, or what the command line did; raises EngineError where a tool is missing."""
        found = _build_error(name, lines or (error.stderr or "").splitlines())
        if found is None:
            self.check_version()
            said = "\n".join(lines[-10:]) or _words(error)
            return failed_build(name, "", said)
        return found


def _build_error(name: str, lines: Sequence[str]) -> BuildError | None:
    """Say what the failed step said: BuildKit numbers the lines of each step and marks the failed one. None without one."""
    failed = next((match for line in reversed(lines) if (match := re.match(r"#(\d+) ERROR: (.*)", line))), None)
    if failed is None:
        return None
    number = failed[1]
    said = [match[1] for line in lines if (match := re.match(rf"#{number} [\d.]+ (.*)", line))]
    stage = next((match[1] for line in lines if (match := re.match(rf"#{number} \[(\w+) ", line))), "")
    return failed_build(name, stage, "\n".join(said) or failed[2])


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DockerException as error:
        remedy = "Correct what it names. Then type the same command: it continues from here."
        raise EngineError(f"Docker Compose failed: {_words(error)}", remedy=remedy) from error


def _words(error: Exception) -> str:
    """The last lines that the CLI wrote, without the command line that python-on-whales repeats."""
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return "\n".join(line.strip() for line in said[-4:])
