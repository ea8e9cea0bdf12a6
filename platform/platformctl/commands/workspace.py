"""Where a command works: a folder with a platform.toml, an overlay of it, and the ways to the outside world."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.real_connections import RealConnections
from platformctl.model.spec import RuntimeName
from platformctl.plan.connections import Connections
from platformctl.plan.report import Announcement, Progress, Report
from platformctl.plan.wanted import Wanted, load_wanted
from platformctl.plan.world import World
from platformctl.runtimes.keeper import Keeper
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project, load_project
from platformctl.state.lock import hold_lock


@dataclass(frozen=True)
class Workspace:
    """A folder, the overlay that is chosen, and the ways to the outside world. runtime_name: another than platform.toml's.

    What it reads of the folder it reads once; `reread` gives one that reads it anew.
    """

    folder: Path = Path()
    env: str | None = None
    connections: Connections = field(default_factory=RealConnections)
    runtime_name: RuntimeName | None = None

    @functools.cached_property
    def project(self) -> Project:
        """The folder's platform.toml; raises UsageError and SpecError."""
        return load_project(self.folder, self.env)

    @functools.cached_property
    def wanted(self) -> Wanted:
        """All that the folder's files want; raises UsageError and SpecError."""
        return load_wanted(self.project, self.runtime)

    @functools.cached_property
    def runtime(self) -> Runtime:
        """What carries the platform; raises EngineError where it doesn't answer."""
        return self.connections.runtime(self.project, self.runtime_name)

    def reread(self) -> "Workspace":
        """Return a workspace of the same folder as its files are now."""
        return replace(self)

    def api(self) -> Api | None:
        """Return Prefect's API, whether it answers or not; None where the platform has no secrets yet."""
        return self.connections.api(self.project)

    def ready_api(self) -> Api | None:
        """Return Prefect's API if it answers."""
        api = self.api()
        return api if api and api.is_ready() else None

    def world(self, report: Report, *, runtime: Runtime | None = None, wanted: Wanted | None = None) -> World:
        """Return what steps are applied to. runtime: another one than the workspace's."""
        return World(
            self.project,
            self.connections,
            runtime or self.runtime,
            note=lambda text: report(Progress(text)),
            wanted=wanted,
        )

    @contextmanager
    def locked(self, command: str, report: Report) -> Iterator["Workspace"]:
        """Hold the platform's lock for the body, and yield the workspace to work in.

        command: what its user typed. Where another command had to be waited for, the files are read anew. Raises LockedError.
        """
        with hold_reported(self.runtime.keeper, command, report) as told:
            yield self.reread() if told else self


@contextmanager
def hold_reported(keeper: Keeper, command: str, report: Report) -> Iterator[list[str]]:
    """Hold a lock for the body, and yield what was told meanwhile: nothing where it was free. Raises LockedError."""
    told: list[str] = []

    def wait(text: str) -> None:
        told.append(text)
        report(Progress(text))

    def warn(text: str) -> None:
        told.append(text)
        report(Announcement(text))

    with hold_lock(keeper, command, waiting=wait, warn=warn):
        yield told
