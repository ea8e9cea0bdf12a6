"""Moving to another runtime: what the old one still runs of a platform is taken down first. Its data stays where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from platformctl.commands.workspace import Workspace, hold_reported
from platformctl.errors import PreflightError
from platformctl.model.observed import Observed
from platformctl.plan.command_phases import down_phases
from platformctl.plan.observe import observe_running
from platformctl.plan.phases import Phase, plan_phases, run_phases
from platformctl.plan.report import Report
from platformctl.plan.step import Plan
from platformctl.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Move:
    """How to leave a runtime: the phases, and the state that they start from. runtime: None where none is to be left."""

    runtime: Runtime | None = None
    observed: Observed | None = None
    phases: Sequence[Phase] = ()

    @property
    def plan(self) -> Plan:
        """The steps that it takes."""
        return plan_phases(self.phases, self.observed) if self.observed else Plan()


def find_move(workspace: Workspace) -> Move:
    """Return what takes a platform down on the runtime that it isn't wanted on any more; raises PreflightError as `check_name`."""
    check_name(workspace)
    runtime = workspace.connections.former_runtime(workspace.project, workspace.runtime)
    if runtime is None:
        return Move()
    cause = f"moves from {runtime.name} to {workspace.runtime.name}"
    observed = observe_running(runtime, workspace.api())
    return Move(runtime, observed, down_phases(workspace.project, cause, volumes=False))


def check_name(workspace: Workspace) -> None:
    """Raise PreflightError where the folder's platform runs under another name than platform.toml's."""
    project = workspace.project
    former = workspace.connections.former_name(project, workspace.runtime)
    if former is None:
        return
    name = project.spec.platform.name
    found = f"The platform {former!r} runs from this folder, and {project.file.name} calls it {name!r} now."
    remedy = (
        f'Set name = "{former}" again in {project.file}. A platform with another name begins with an empty database: '
        "if you want that, type `platformctl down` first, then change the name."
    )
    raise PreflightError(found, remedy=remedy)


def leave_runtime(workspace: Workspace, move: Move, report: Report) -> Plan:
    """Take the platform down where it isn't wanted any more, and return what was done.

    Holds the lock of the runtime that is left: a command that works there has another one than this command.
    """
    if move.runtime is None or move.observed is None:
        return Plan()
    runtime = move.runtime
    world = workspace.world(report, runtime=runtime)

    def look() -> Observed:
        return observe_running(runtime, workspace.api())

    with hold_reported(runtime.keeper, f"a move to {workspace.runtime.name}", report):
        return run_phases(move.phases, look(), look, world, report)
