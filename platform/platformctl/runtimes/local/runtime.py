"""The local runtime: processes kept by a supervisor, virtual environments, and SQLite; no Docker."""

import json
import os
import pwd
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformctl.adapters.processes import (
    end_marked,
    find_marked,
    machine_memory,
    machine_processors,
    marks,
    port_holder,
)
from platformctl.adapters.supervisor import Supervisor
from platformctl.adapters.uv import CommandError, run_reported
from platformctl.errors import PreflightError, UsageError, failed_describing
from platformctl.files import make_folder
from platformctl.model.deployment import Described
from platformctl.model.observed import BuiltImage, ImageSize, Machine
from platformctl.runtimes.described import SCRIPT, read_described
from platformctl.runtimes.local.bundle import describe_local, render_local
from platformctl.runtimes.local.environments import EMPTY_DATABASE, ENVIRONMENT
from platformctl.runtimes.local.images import LocalImages
from platformctl.runtimes.local.inherited import inherited
from platformctl.runtimes.local.instances import kept_instances, orphaned_instances
from platformctl.runtimes.local.keeper import FolderKeeper
from platformctl.runtimes.local.logs import last_lines, read_logs
from platformctl.runtimes.local.site import CODE, SOCKET
from platformctl.runtimes.machine import check_address, check_free, free_bytes
from platformctl.runtimes.runtime import BuildOptions, Line
from platformctl.spec.load import Project
from platformctl.stack.describe import Stack
from platformctl.stack.files import CONTEXTS, SUPERVISOR, Files
from platformctl.stack.images.context import WorkerImage
from platformctl.stack.names import SERVER, deploy_name, instance_name
from platformctl.stack.worker import RESULTS_VARIABLE


class LocalRuntime:
    """A platform of local processes, in the folder of its project."""

    name = "local"

    def __init__(
        self, project: Project, note: str = "", *, has_port_elsewhere: Callable[[], bool] = lambda: False
    ) -> None:
        """Raises PreflightError where the platform belongs to another user.

        note: what its user is to be told first. has_port_elsewhere: whether a runtime that is to be left has the server's port.
        """
        self._has_port_elsewhere = has_port_elsewhere
        self._project, self.note = project, "\n".join(part for part in (note, _unmet(project)) if part)
        self.keeper = FolderKeeper(project.state / "kept")
        self._folder, self._data = project.local, project.data
        self._images = LocalImages(self._folder, project.spec.platform.prefect)
        self._supervisor = Supervisor(self._folder, project.bundle / SUPERVISOR, SOCKET)
        _check_owner(project)

    def describe(self, project: Project) -> Stack:
        """Return what runs of a project."""
        return describe_local(project)

    def render_bundle(self, stack: Stack) -> Files:
        """Return the files that a stack runs from."""
        return render_local(stack)

    def check_tools(self) -> None:
        """Every tool is a package that platformctl is installed with."""

    def check_machine(self) -> None:
        """Raise PreflightError where somebody else has the server's port, or where the disk is full."""
        holder = port_holder(self._project.spec.server.port)
        is_own = (holder is not None and holder.is_of(self._folder)) or self._has_port_elsewhere()
        check_address(self._project, str(holder) if holder else None, is_own=is_own)
        check_free(free_bytes(self._project.root), f"in {self._project.root}", "du -sh .platform")

    def observe(self, images: Sequence[str]) -> Machine:
        """Return the processes that the supervisor keeps, and those that one that is gone left behind."""
        kept = self._supervisor.processes() or ()
        programs = {found.program for found in kept}
        orphans = [found for found in find_marked(self._folder) if found.program not in programs]
        instances = [*kept_instances(self._project, kept), *orphaned_instances(self._project, orphans)]
        present = frozenset(image for image in images if self._images.has(image))
        return Machine(
            tuple(sorted(instances, key=lambda found: found.name)),
            self._volumes(),
            (),
            present,
            machine_memory(),
            machine_processors(),
        )

    def check_image(self, image: str) -> None:
        """No image comes from a registry: environments are made of packages."""

    def digest_of(self, image: str) -> str:
        """Raise UsageError: there are none."""
        remedy = 'Set runtime = "docker", or lock the dependencies: requirements = "uv.lock".'
        raise UsageError(f"Local processes don't run images such as {image}, so it can't be locked.", remedy=remedy)

    def pull(self, image: str, report: Line) -> None:
        """Nothing is pulled."""

    def build(self, image: WorkerImage, options: BuildOptions, report: Line) -> None:
        """Make an image's environment, and prove that its flows can be imported; raises UsageError where it is to be pushed."""
        if options.push or options.platforms:
            remedy = 'Leave out --push and --platform, or set runtime = "docker".'
            raise UsageError(
                "The local runtime makes virtual environments for this machine, not images.", remedy=remedy
            )
        _make_private(self._project.state, self._folder)
        self._images.build(image, options, report)

    def start(self, services: Sequence[str], *, recreate: bool = False) -> None:
        """Have the supervisor start services, itself first where it doesn't run."""
        _make_private(self._project.state, self._folder, self._data)
        _make_private(self._folder / "logs", self._folder / "home", *self._results_of(services))
        if SERVER in services:
            self._make_database()
        for service in services:
            self._link_code(Path(self._told(service)["directory"]))
        kept = self._supervisor.processes()
        end_marked(self._folder, set(services) - {found.program for found in kept or ()})
        if kept is None:
            self._supervisor.launch(inherited() | marks(self._folder))
        self._supervisor.start(services, anew=recreate)

    def stop(self, instances: Sequence[str], *, grace: int) -> None:
        """Stop processes, with all that they started; the supervisor ends with the last of them."""
        services = [self._service(name) for name in instances]
        if self._supervisor.is_running():
            self._supervisor.stop(services, grace=grace)
        end_marked(self._folder, services)
        if not self._supervisor.processes():
            self._supervisor.end()

    def copy_results(self, service: str, source: str) -> None:
        """Copy a folder of data to where a worker persists results."""
        (target,) = self._results_of([service])
        _make_private(target)
        shutil.copytree(self._volume(source), target, copy_function=_copy_newer, dirs_exist_ok=True)

    def describe_flows(self, image: str, report: Line) -> Described:
        """Return what the flows of an image are, as its environment's Python tells."""
        return read_described(image, lambda read: self._run_describing(image, read), report)

    def _run_describing(self, image: str, report: Line) -> None:
        service, bundle = deploy_name(image), self._project.bundle
        python = self._image_of(service) / ENVIRONMENT / "bin" / "python"
        script = bundle / CONTEXTS / image / SCRIPT
        told = self._told(service)
        try:
            run_reported(
                [str(python), "-B", str(script), str(bundle / "deployments" / f"{image}.json")],
                report,
                variables=inherited() | told["environment"],
                folder=Path(told["directory"]),
            )
        except CommandError as error:
            raise failed_describing(image, error.words) from error

    def last_lines(self, instance: str) -> str:
        """Return the last lines that a process wrote."""
        return last_lines(self._log(self._service(instance)))

    def health_output(self, instance: str) -> str:  # noqa: ARG002  # as the seam has it
        """Return nothing: the server's own answer is all that is asked for."""
        return ""

    def logs(self, services: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
        """Yield lines that services wrote, each behind its process's name."""
        chosen = services or [instance.service for instance in self.observe([]).instances]
        files = {instance_name(self._project, service): self._log(service) for service in chosen}
        return read_logs(files, follow=follow, tail=tail)

    def remove_network(self, name: str) -> None:
        """There are no networks."""

    def remove_volume(self, name: str) -> None:
        """Delete a folder of data."""
        shutil.rmtree(self._volume(name))

    def names(self) -> tuple[str, ...]:
        """Return none: processes are the folder's, whatever the platform is called."""
        return ()

    def built_images(self) -> tuple[BuiltImage, ...]:
        """Return the images that are there; no other platform has anything to do with them."""
        return tuple(self._images.built())

    def image_sizes(self, images: Sequence[str]) -> Mapping[str, ImageSize]:
        """Return how big images are, with their environments."""
        return self._images.sizes(images)

    def remove_image(self, image: str) -> None:
        """Remove an image, and the environments that no image has any more."""
        self._images.remove(image)

    def home(self) -> str | None:
        """Return the folder that the platform was started from: it has no other."""
        return str(self._project.root)

    def _service(self, instance: str) -> str:
        return instance.removeprefix(instance_name(self._project, ""))

    def _log(self, service: str) -> Path:
        return self._folder / "logs" / f"{service}.log"

    def _results_of(self, services: Sequence[str]) -> list[Path]:
        """Where the workers among services persist results, as the bundle on disk says."""
        told = [self._told(service)["environment"] for service in services]
        return [Path(each[RESULTS_VARIABLE]) for each in told if RESULTS_VARIABLE in each]

    def _volume(self, name: str) -> Path:
        return self._data / name.removeprefix(f"{self._project.spec.platform.name}_")

    def _volumes(self) -> dict[str, datetime]:
        """Volume to its last change: when the folder was made isn't known everywhere, and a plan wants to know of none."""
        name = self._project.spec.platform.name
        found = {path: path.stat() for path in self._data.glob("*") if path.is_dir()}
        return {f"{name}_{path.name}": datetime.fromtimestamp(state.st_ctime, UTC) for path, state in found.items()}

    def _link_code(self, code: Path) -> None:
        """Have the link to the flows of an image lead to where those of one of its tags are."""
        images = self._folder / "images"
        link = self._folder / CODE / code.parents[1].relative_to(images)
        unfinished = link.with_name(f".{link.name}.unfinished")
        _make_private(link.parent)
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(os.path.relpath(code, link.parent))
        unfinished.replace(link)

    def _make_database(self) -> None:
        """A new platform begins with an empty database that has its schema already: making that takes Prefect long."""
        file = self._project.sqlite
        if file.exists() or self._project.spec.database.url:
            return
        _make_private(file.parent)
        unfinished = file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        empty = self._image_of(SERVER) / ENVIRONMENT / EMPTY_DATABASE
        with closing(sqlite3.connect(empty)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
        unfinished.rename(file)

    def _image_of(self, service: str) -> Path:
        """The folder of the image that the bundle on disk wants for a service."""
        return Path(self._told(service)["directory"]).parent

    def _told(self, service: str) -> dict[str, Any]:
        """What the bundle on disk says of a service."""
        told: dict[str, Any] = json.loads(self._file_of(service).read_text(encoding="utf-8"))
        return told

    def _file_of(self, service: str) -> Path:
        return self._project.bundle / "services" / f"{service}.json"


def _unmet(project: Project) -> str:
    """What is asked for and only containers have: Debian's packages, and networks that lead nowhere else."""
    open_ = [name for name, pool in project.spec.pools.items() if not pool.internet]
    packages = sorted({package.partition("=")[0] for image in project.spec.images.values() for package in image.system})
    said = f"Local processes use the packages of this machine: install {', '.join(packages)} on it."
    reached = (
        f"Local processes reach all that this machine reaches: `internet = false` of {', '.join(open_)} needs Docker."
    )
    return "\n".join([*([said] if packages else []), *([reached] if open_ else [])])


def _copy_newer(source: str, target: str) -> None:
    """Copy a file, unless the one that is there is as new."""
    there = Path(target)
    if not there.exists() or there.stat().st_mtime < Path(source).stat().st_mtime:
        shutil.copy2(source, target)


def _make_private(*folders: Path) -> None:
    """Make folders that are no other user's business, where they aren't there yet."""
    for folder in folders:
        make_folder(folder, 0o700)


def _check_owner(project: Project) -> None:
    """Local processes run as the user who typed `up`, and only that user can read the platform's secrets."""
    if not project.state.exists() or (owner := project.state.stat().st_uid) == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    found = f"This platform's processes and secrets belong to the user {name!r} ({project.state})."
    raise PreflightError(found, remedy=f"Type the command as {name!r}.")
