"""Worker images as values: everything that goes into one, and the tag that follows from it.

The build context is complete in the bundle, and the tag is a digest of it: same inputs, same tag, no build.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformctl.assets import asset_path
from platformctl.errors import SpecError
from platformctl.files import Content, Source, digest_of_files, is_one_line, source_of
from platformctl.model.releases import has_worker_package, minor_of
from platformctl.model.spec import Image, Spec
from platformctl.spec.contents import check_inside
from platformctl.spec.load import Project
from platformctl.stack.images.worker_package import WORKER, worker_wheel
from platformctl.stack.leases import server_modules
from platformctl.stack.names import SERVER
from platformctl.templates import render_template

TOOLS = "tools/"
"""The folder of a build context with the scripts that are run in images."""
_IGNORED = {"__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class WorkerImage:
    """An image to be: its name in the spec, what it is built on, its repository, and its build context, path to content.

    files: what is rendered, or small. flows: the user's own files, which may be of any size.
    """

    name: str
    base: str
    repository: str
    files: Mapping[str, bytes]
    flows: Mapping[str, Source] = field(default_factory=dict)
    tag: str = field(init=False)
    """The first 12 hexadecimal digits of the SHA-256 of the context, as it was found."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tag", digest_of_files(self.context)[:12])

    @property
    def context(self) -> Mapping[str, Content]:
        """The whole build context."""
        return {**self.files, **self.flows}

    @property
    def reference(self) -> str:
        """The image's name with its tag."""
        return f"{self.repository}:{self.tag}"


def load_images(project: Project) -> tuple[WorkerImage, ...]:
    """Read what goes into each image of the spec; raises OSError where a file can't be read."""
    return tuple(_load_image(project, name, image) for name, image in project.spec.images.items())


def load_server_image(project: Project) -> WorkerImage | None:
    """Return the server's image where Prefect's own must be held to something; None where it is used as it is."""
    spec = project.spec
    minor = minor_of(spec.platform.prefect)
    held = minor.held if minor else ()
    if spec.server.image or not held:
        return None
    base = project.locked(official_image(spec))
    dockerfile = render_template(
        "docker/server.Dockerfile.j2",
        base=base,
        held=" ".join(shlex.quote(word) for word in held),
        has_index=bool(spec.build.index),
        has_ca=bool(spec.build.ca),
    )
    files = {"Dockerfile": dockerfile.encode(), "constraints.txt": constraints_file(spec.platform.prefect).read_bytes()}
    return WorkerImage(SERVER, base, f"{spec.platform.name}/{SERVER}", files)


def load_local_server_image(project: Project) -> WorkerImage:
    """Return the server's image for the local runtime: Prefect, held to what it works with, and what it imports of ours."""
    prefect = project.spec.platform.prefect
    repository = f"{project.spec.platform.name}/{SERVER}"
    files = {f"app/{name}": content for name, content in server_modules().items()}
    return WorkerImage(SERVER, official_image(project.spec), repository, {"prefect": prefect.encode(), **files})


def constraints_file(prefect: str) -> Path:
    """Return the file that holds the dependencies of a version of Prefect to those that it works with, with their hashes."""
    return asset_path("images") / "constraints" / f"{prefect.rpartition('.')[0]}.txt"


def _base_image(project: Project, image: Image) -> str:
    """Return the image that a worker image is built on."""
    return project.locked(image.base or official_image(project.spec))


def official_image(spec: Spec) -> str:
    """Return Prefect's own image of the platform's version."""
    return f"prefecthq/prefect:{spec.platform.prefect}-python3.13"


def _load_image(project: Project, name: str, image: Image) -> WorkerImage:
    files = {f"{TOOLS}{path.name}": path.read_bytes() for path in sorted((asset_path("images") / "worker").glob("*.*"))}
    files |= _requirement_files(project.root, image)
    has_package = has_worker_package(project.spec.platform.prefect)
    if has_package:
        wheel = worker_wheel()
        files[f"{WORKER}{wheel.name}"] = wheel.content
    files["Dockerfile"] = _dockerfile(project, image, has_package=has_package).encode()
    repository = image.repository or f"{project.spec.platform.name}/{name}"
    paths = _walk(project.root, image.flows) if image.flows else ()
    flows = {f"app/{path}": source_of(project.root / path) for path in paths}
    return WorkerImage(name, _base_image(project, image), repository, files, flows)


def _requirement_files(root: Path, image: Image) -> dict[str, bytes]:
    files = {}
    if image.requirements:
        path = root / image.requirements
        files[f"requirements/{path.name}"] = path.read_bytes()
        if path.name == "uv.lock":
            files["requirements/pyproject.toml"] = (path.parent / "pyproject.toml").read_bytes()
    if image.dependencies:
        files["requirements/dependencies.txt"] = "\n".join([*image.dependencies, ""]).encode()
    return files


def _walk(root: Path, folder: str) -> Iterator[str]:
    """Paths of the files that belong to the flows, relative to the project; hidden and compiled ones don't."""
    for path in sorted((root / folder).rglob("*")):
        parts = path.relative_to(root / folder).parts
        hidden = any(part in _IGNORED or part.startswith(".") for part in parts)
        if hidden or path.suffix == ".pyc":
            continue
        _check_file(root, path)
        if path.is_file():
            yield path.relative_to(root).as_posix()


def _check_file(root: Path, path: Path) -> None:
    """Raise SpecError for a file of the flows that may not go into an image."""
    name = path.relative_to(root).as_posix()
    if not is_one_line(name):
        raise SpecError(f"The name of the file {name!r} isn't a text in UTF-8 on one line.", remedy="Rename it.")
    if path.is_symlink():
        check_inside(root, path, name)


def _dockerfile(project: Project, image: Image, *, has_package: bool) -> str:
    spec = project.spec
    return render_template(
        "docker/Dockerfile.j2",
        base=_base_image(project, image),
        prefect=spec.platform.prefect,
        system=image.system,
        has_requirements=bool(image.requirements or image.dependencies),
        has_index=bool(spec.build.index),
        has_ca=bool(spec.build.ca),
        has_package=has_package,
        flows=shlex.quote(image.flows) if image.flows else "",
    )
