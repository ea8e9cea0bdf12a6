"""Images of the local runtime: folders with the flows and a link to a virtual environment, each made whole or not at all."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformctl.adapters.uv import CommandError, Uv, run_reported
from platformctl.errors import failed_build
from platformctl.runtimes.local.environments import (
    APP,
    EMPTY_DATABASE,
    ENVIRONMENT,
    bare_environment_name,
    constraints_file,
    environment_key,
    environment_name,
    image_folder,
)
from platformctl.runtimes.runtime import BuildOptions, Line
from platformctl.stack.images.context import WorkerImage
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

    def build(self, image: WorkerImage, options: BuildOptions, report: Line) -> None:
        """Build an image; raises BuildError with the words of the step that failed."""
        environment = self._folder / "environments" / environment_name(image, self._prefect)
        if not options.use_cache or not (environment / "bin" / "python").exists():
            with _replacing(environment) as unfinished, _stage(image, "dependencies"):
                self._install(image, options, unfinished, report)
        if image.name == SERVER and not (environment / EMPTY_DATABASE).exists():
            with _stage(image, "database"):
                _make_empty_database(environment, report)
        folder = self._folder / image_folder(image.reference)
        with _replacing(folder) as unfinished, _stage(image, "flows"):
            (unfinished / ENVIRONMENT).symlink_to(os.path.relpath(environment, folder))
            (unfinished / APP).mkdir()
            _write_below(unfinished, image, f"{APP}/")
            _prove(image, environment, unfinished / APP, report)

    def _install(self, image: WorkerImage, options: BuildOptions, environment: Path, report: Line) -> None:
        uv = Uv(report, _index_variables(options), use_cache=options.use_cache)
        environment.rmdir()
        bare = environment.with_name(bare_environment_name(self._prefect))
        if options.use_cache and (bare / "bin" / "python").exists():
            _copy_environment(bare, environment)
        else:
            self._install_prefect(uv, environment)
        names = [path.removeprefix("requirements/") for path in image.files if path.startswith("requirements/")]
        if names:
            with tempfile.TemporaryDirectory() as context:
                _write_below(Path(context), image, "")
                self._install_requirements(uv, environment, Path(context), names)
        _install_worker(environment, image, report)
        uv.check(environment)

    def _install_prefect(self, uv: Uv, environment: Path) -> None:
        held = ("--constraint", str(constraints_file(self._prefect)))
        uv.create(environment)
        uv.install(environment, "--compile-bytecode", *held, f"prefect=={self._prefect}")

    def _install_requirements(self, uv: Uv, environment: Path, context: Path, names: list[str]) -> None:
        """What the image's Dockerfile does: what is installed may not move what Prefect needs, nor is it taken from a lock."""
        held = context / "constraints.txt"
        command = [_python(environment), str(context / "tools" / "constraints.py"), self._prefect]
        held.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
        folder = context / "requirements"
        if "uv.lock" in names:
            lock = folder / "requirements.lock"
            uv.export([line.partition("==")[0] for line in held.read_text().splitlines()], lock, folder)
            uv.install(environment, "--compile-bytecode", "--no-deps", "-r", str(lock), folder=folder)
            names = [name for name in names if name not in ("uv.lock", "pyproject.toml")]
        sources = [word for name in names for word in ("-r", str(folder / name))]
        if sources:
            uv.install(environment, "--compile-bytecode", "--constraint", str(held), *sources, folder=folder)


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


def _install_worker(environment: Path, image: WorkerImage, report: Line) -> None:
    """Install the warm worker's package; images whose workers aren't warm have none."""
    with tempfile.TemporaryDirectory() as folder:
        _write_below(Path(folder), image, "")
        for wheel in Path(folder, WORKER).glob("*.whl"):
            command = [_python(environment), str(Path(folder, "tools", "install_worker.py")), str(wheel)]
            run_reported(command, report, variables={})


def _prove(image: WorkerImage, environment: Path, app: Path, report: Line) -> None:
    """Import Prefect and every flow."""
    flows = ["."] if any(path.startswith(f"{APP}/") for path in image.files) else []
    with tempfile.TemporaryDirectory() as folder:
        _write_below(Path(folder), image, "tools/")
        for script in Path(folder).glob("tools/check_flows.py"):  # the server's image has none, and no flows
            command = [_python(environment), "-B", str(script), *flows]
            run_reported(command, report, variables=_prefect_variables(folder), folder=app)


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
    """What keeps Prefect from its user's own profile and server."""
    return {
        "PREFECT_HOME": folder,
        "PREFECT_PROFILES_PATH": f"{folder}/profiles.toml",
        "PREFECT_API_URL": "",
        "DO_NOT_TRACK": "1",
    }


def _python(environment: Path) -> str:
    return str(environment / "bin" / "python")


def _write_below(folder: Path, image: WorkerImage, prefix: str, *, is_stripped: bool = False) -> None:
    """Write the files of an image whose paths begin with a prefix. is_stripped: without it."""
    for path, content in image.files.items():
        if path.startswith(prefix):
            file = folder / (path.removeprefix(prefix) if is_stripped else path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _index_variables(options: BuildOptions) -> dict[str, str]:
    """What uv is told of the index and of the authority that its certificate is from."""
    variables = {}
    if "index" in options.secrets:
        variables["UV_DEFAULT_INDEX"] = options.secrets["index"].read_text(encoding="utf-8").strip()
    if "ca" in options.secrets:
        variables["SSL_CERT_FILE"] = str(options.secrets["ca"])
    return variables


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a folder that takes another's place once the body is through; what an interrupted one left is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(stale)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
    try:
        yield unfinished
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _stage(image: WorkerImage, stage: str) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise failed_build(image.name, stage, error.words) from error
