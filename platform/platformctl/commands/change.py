"""Changes of platform.toml that a command makes, and bringing the platform to what its files want."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from platformctl.commands.move import check_name, find_move, leave_runtime
from platformctl.commands.workspace import Workspace
from platformctl.files import replace_file
from platformctl.model.observed import Observed
from platformctl.model.spec import KeyPath, Value
from platformctl.plan.command_phases import up_phases
from platformctl.plan.observe import observe
from platformctl.plan.phases import Phase, plan_phases, run_phases
from platformctl.plan.preflight import check_preconditions
from platformctl.plan.report import Announcement, Report
from platformctl.plan.resources.secrets import WriteSecrets
from platformctl.plan.room import check_room
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from platformctl.spec.load import Project

Edits = Callable[[Project], Mapping[KeyPath, Value]]
"""From a project to the keys that are to be set in its platform.toml."""
PhasesOf = Callable[[Wanted], tuple[Phase, ...]]
"""From what the files want to the phases of a command."""
Edit = Callable[[Project], tuple[str, ...]]
"""Changes platform.toml, and returns a line for each change."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: the lines of platform.toml that it changed, and the plan that it carried out.

    plan is None where only platform.toml was changed, because nothing of the platform is there.
    """

    project: Project
    edited: tuple[str, ...]
    plan: Plan | None

    @property
    def made_secrets(self) -> bool:
        """Whether the platform's passwords are new."""
        return self.plan is not None and any(isinstance(step.change, WriteSecrets) for step in self.plan.steps)


def change(workspace: Workspace, report: Report, *, command: str, edit: Edit) -> Outcome:
    """Change platform.toml, and bring the platform to it where there is one. Raises PlatformError."""
    with workspace.locked(command, report) as locked, edited_spec(locked, edit, report) as (lines, edited):
        machine = edited.runtime.observe([])
        if machine.instances:
            return Outcome(edited.project, lines, converge(edited, report))
        check_name(edited)
        check_room(edited.wanted, machine)
        return Outcome(edited.project, lines, None)


def edit_nothing(_: Project) -> tuple[str, ...]:
    """Change nothing."""
    return ()


def edit_keys_of(edits: Edits) -> Edit:
    """Return the edit that sets keys of platform.toml, or of the overlay that is chosen."""

    def edit(project: Project) -> tuple[str, ...]:
        from platformctl.spec.edit import edit_keys  # noqa: PLC0415  # an `up` that edits nothing needn't wait for it

        return tuple(edit_keys(project.root, project.env, edits(project)))

    return edit


@contextmanager
def edited_spec(workspace: Workspace, edit: Edit, report: Report) -> Iterator[tuple[tuple[str, ...], Workspace]]:
    """Change platform.toml for the body, and yield the lines that changed and the workspace with the file as it is now.

    The file is as it was again where what would come of it isn't a spec, and where the body fails.
    """
    file = workspace.project.file
    before = written = file.read_bytes()
    try:
        lines = edit(workspace.project)
        written = file.read_bytes()
        edited = workspace if written == before else workspace.reread()
        _ = edited.wanted
        yield lines, edited
    except BaseException:
        if written != before and file.read_bytes() == written:  # its user may have changed it meanwhile
            replace_file(file, before)
            report(Announcement(f"{file.name} was set back to what it was before this command."))
        raise


def converge(workspace: Workspace, report: Report, phases_of: PhasesOf = up_phases) -> Plan:
    """Bring the platform to what its files want, and return what was done: what leaves another runtime comes first."""
    wanted, runtime = workspace.wanted, workspace.runtime
    phases, world = phases_of(wanted), workspace.world(report, wanted=wanted)

    def look() -> Observed:
        return observe(wanted, runtime, workspace.api(), world.flows)

    move, observed = find_move(workspace), look()
    plan = plan_phases(phases, observed)
    if not plan.has_changes:
        return plan
    if runtime.note:
        report(Announcement(runtime.note))
    check_preconditions(plan, wanted, observed, runtime)
    if any(step.change.needs_client for step in plan.steps):
        threading.Thread(target=workspace.connections.preload, daemon=True).start()
    left = leave_runtime(workspace, move, report)
    done = run_phases(phases, observed, look, world, report)
    return Plan((*left.steps, *done.steps))
