"""Images of the local runtime: folders with the flows and a link to a virtual environment, each made whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from platformctl.adapters.uv import CommandError, Uv, run_reported, uv_command
from platformctl.errors import failed_build
from platformctl.files import make_folder, replace_file
from platformctl.model.observed import BuiltImage, ImageSize
from platformctl.runtimes.local.environments import (
    APP,
    EMPTY_DATABASE,
    ENVIRONMENT,
    INSTALLED,
    bare_environment_name,
    environment_key,
    environment_name,
    image_folder,
)
from platformctl.runtimes.local.inherited import inherited
from platformctl.runtimes.runtime import BuildOptions, Line
from platformctl.stack.images.context import WorkerImage, constraints_file
from platformctl.stack.images.worker_package import WORKER
from platformctl.stack.names import SERVER

_UNFINISHED = ".unfinished-"


class LocalImages:
    """The images of one platform, below its local folder."""

    def __init__(self, folder: Path, prefect: str) -> None:
        """prefect: the version that every environment holds."""
        self._folder, self._prefect = folder, prefect

    def has(self, reference: str) -> bool:
        """Whether an image is there, with an environment of this Prefect, this Python and these constraints."""
        link = self._folder / image_folder(reference) / ENVIRONMENT
        return (link / "bin" / "python").exists() and link.readlink().name.startswith(environment_key(self._prefect))

    def built(self) -> list[BuiltImage]:
        """Return the images that are there."""
        found = [link.parent for link in (self._folder / "images").rglob(ENVIRONMENT) if link.is_symlink()]
        whole = [folder for folder in found if not any(part.startswith(_UNFINISHED) for part in folder.parts)]
        return [BuiltImage(self._reference(folder), _made(folder)) for folder in whole]

    def sizes(self, references: Sequence[str]) -> dict[str, ImageSize]:
        """Return how big images are with their environments; what others use too isn't their own."""
        folders = {reference: self._folder / image_folder(reference) for reference in references}
        return {reference: self._size(folder) for reference, folder in folders.items() if folder.is_dir()}

    def remove(self, reference: str) -> None:
        """Remove an image, and the environments that no image links to any more. One that is gone is fine."""
        _discard(self._folder / image_folder(reference))
        used = {self._environment(image.reference) for image in self.built()}
        for environment in (self._folder / "environments").glob("*"):
            if environment not in used:
                _discard(environment)

    def build(self, image: WorkerImage, options: BuildOptions, report: Line) -> None:
        """Build an image; raises BuildError with the words of the step that failed."""
        environment = self._folder / "environments" / environment_name(image, self._prefect)
        if not options.use_cache or not (environment / "bin" / "python").exists():
            with _replacing(environment) as unfinished, _context(image) as context:
                with _stage(image, "dependencies", report):
                    self._install(options, unfinished, context, report)
                with _stage(image, "worker", report):
                    _install_worker(unfinished, context, report)
        if image.name == SERVER and not (environment / EMPTY_DATABASE).exists():
            with _stage(image, "database", report):
                _make_empty_database(environment, report)
        folder = self._folder / image_folder(image.reference)
        with _replacing(folder) as unfinished, _stage(image, "flows", report):
            (unfinished / ENVIRONMENT).symlink_to(os.path.relpath(environment, folder))
            (unfinished / APP).mkdir()
            _write_below(unfinished, image, f"{APP}/")
            with _context(image) as context:
                _prove(environment, context, unfinished / APP, report)

    def _reference(self, folder: Path) -> str:
        *name, tag = folder.relative_to(self._folder / "images").parts
        return f"{'/'.join(name)}:{tag}"

    def _environment(self, reference: str) -> Path:
        return (self._folder / image_folder(reference) / ENVIRONMENT).resolve()

    def _size(self, folder: Path) -> ImageSize:
        flows, environment = _disk_usage(folder), (folder / ENVIRONMENT).resolve()
        installed = _disk_usage(environment)
        is_shared = sum(self._environment(image.reference) == environment for image in self.built()) > 1
        return ImageSize(flows.total + installed.total, flows.own + (0 if is_shared else installed.own))

    def _install(self, options: BuildOptions, environment: Path, context: Path, report: Line) -> None:
        """Make what the base image of a Dockerfile holds, then install the dependencies as the Dockerfile does."""
        variables = _uv_variables(options)
        environment.rmdir()
        bare = environment.with_name(bare_environment_name(self._prefect))
        if options.use_cache and (bare / "bin" / "python").exists():
            _copy_environment(bare, environment)
        else:
            self._install_prefect(Uv(report, variables), environment)
        if (context / "requirements").is_dir():
            words = [self._prefect, "--requirements", str(context / "requirements"), "--uv", uv_command()]
            command = _script(environment, context, "install_dependencies.py", *words)
            run_reported(command, report, variables=variables)

    def _install_prefect(self, uv: Uv, environment: Path) -> None:
        held = ("--constraint", str(constraints_file(self._prefect)))
        uv.create(environment)
        uv.install(environment, "--compile-bytecode", *held, f"prefect=={self._prefect}")


def _made(folder: Path) -> datetime:
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _disk_usage(folder: Path) -> ImageSize:
    """The bytes of a folder's files; one that another folder has too, as uv's cache does, isn't its own."""
    files = [path.lstat() for path in folder.rglob("*") if not path.is_dir()]
    return ImageSize(sum(file.st_size for file in files), sum(file.st_size for file in files if file.st_nlink == 1))


def _copy_environment(source: Path, target: Path) -> None:
    """Begin with what another environment holds, in a second: the files are the same ones, where the file system can do that.

    Environments are made to be moved, and neither uv nor Python writes into a file that is there: they put another one in
    its place, as uv's own cache of files needs them to.
    """
    left_out = shutil.ignore_patterns(f"*{EMPTY_DATABASE}")
    shutil.copytree(source, target, symlinks=True, copy_function=_link, ignore=left_out)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _install_worker(environment: Path, context: Path, report: Line) -> None:
    """Install the warm worker's package; images whose workers aren't warm have none."""
    for wheel in (context / WORKER).glob("*.whl"):
        run_reported(_script(environment, context, "install_worker.py", str(wheel)), report, variables=inherited())


def _prove(environment: Path, context: Path, app: Path, report: Line) -> None:
    """Import Prefect and every flow; the server's image has none, and is proven by its database."""
    if (context / "tools").is_dir():
        flows = ["."] if any(app.iterdir()) else []
        with tempfile.TemporaryDirectory() as home:
            command = _script(environment, context, "check_flows.py", *flows)
            run_reported(command, report, variables=_prefect_variables(home), folder=app)


def _make_empty_database(environment: Path, report: Line) -> None:
    """Make the database that a new platform begins with, of the present schema: Prefect needs a quarter of a minute for it."""
    unfinished = environment / f"{_UNFINISHED}{EMPTY_DATABASE}"
    unfinished.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        variables = _prefect_variables(folder) | {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{unfinished}"
        }
        command = [_python(environment), "-m", "prefect", "server", "database", "upgrade", "--yes"]
        report("making the empty database that a new platform begins with")
        run_reported(command, lambda _: None, variables=variables, folder=Path(folder))
    unfinished.rename(environment / EMPTY_DATABASE)


def _prefect_variables(folder: str) -> dict[str, str]:
    """What Prefect is told to keep from its user's own profile and server."""
    return inherited() | {
        "PREFECT_HOME": folder,
        "PREFECT_PROFILES_PATH": f"{folder}/profiles.toml",
        "PREFECT_API_URL": "",
        "DO_NOT_TRACK": "1",
    }


def _python(environment: Path) -> str:
    return str(environment / "bin" / "python")


def _script(environment: Path, context: Path, name: str, *words: str) -> list[str]:
    """Return the command line of a script of a build context, run by an environment's Python as it is by an image's."""
    return [_python(environment), "-B", str(context / "tools" / name), *words]


@contextmanager
def _context(image: WorkerImage) -> Iterator[Path]:
    """Yield a folder that holds an image's build context, without the flows."""
    with tempfile.TemporaryDirectory() as folder:
        _write_below(Path(folder), image, *INSTALLED, "tools/")
        yield Path(folder)


def _write_below(folder: Path, image: WorkerImage, *prefixes: str) -> None:
    """Write the files of an image whose paths begin with any prefix."""
    for path, content in image.context.items():
        if path.startswith(prefixes):
            file = folder / path
            make_folder(file.parent)
            replace_file(file, content)


def _uv_variables(options: BuildOptions) -> dict[str, str]:
    """What uv is told: of the machine, its cache, the index, and the authority that the index's certificate is from."""
    variables = inherited() | ({} if options.use_cache else {"UV_NO_CACHE": "1"})
    if "index" in options.secrets:
        variables["UV_DEFAULT_INDEX"] = options.secrets["index"].read_text(encoding="utf-8").strip()
    if "ca" in options.secrets:
        variables["SSL_CERT_FILE"] = str(options.secrets["ca"])
    return variables


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a folder that takes another's place once the body is through; what an interrupted one left is removed."""
    make_folder(folder.parent)
    for stale in folder.parent.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(stale)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
    try:
        yield unfinished
        _discard(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _discard(folder: Path) -> None:
    """Remove a folder, if it is there, so that no part of it is taken for the whole where that is interrupted."""
    if folder.exists():
        discarded = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
        folder.rename(discarded / folder.name)
        shutil.rmtree(discarded)


@contextmanager
def _stage(image: WorkerImage, stage: str, report: Line) -> Iterator[None]:
    report(f"stage {stage}")
    try:
        yield
    except CommandError as error:
        raise failed_build(image.name, stage, error.words) from error
