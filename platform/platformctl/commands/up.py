"""`up`, and every other command that brings a platform to what its files want: plan, then act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from platformctl.commands.leave import plan_leave
from platformctl.commands.workspace import Workspace
from platformctl.model.observed import Observed
from platformctl.model.spec import Value
from platformctl.plan.execute import execute, preload
from platformctl.plan.observe import observe
from platformctl.plan.preflight import check_ready
from platformctl.plan.reconcile import reconcile
from platformctl.plan.report import Notice, Report
from platformctl.plan.step import Plan, StartService, WriteSecrets
from platformctl.plan.wanted import Wanted
from platformctl.spec.load import Project
from platformctl.spec.problems import KeyPath
from platformctl.state.lock import lock_workspace

Edits = Callable[[Project], Mapping[KeyPath, Value]]
Edit = Callable[[Project], tuple[str, ...]]


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


def up(workspace: Workspace, report: Report, *, edits: Edits | None = None) -> Outcome:
    """Bring a platform to what its files want, and wait until every worker is online in Prefect.

    edits: changes to platform.toml that come first. Raises PlatformError; typed again, it goes on from where it was.
    """
    edit = key_edit(edits) if edits else lambda _: ()
    with lock_workspace(workspace, "platformctl up", report):
        edited = _edit(workspace, edit)
        wanted = workspace.wanted()
        return Outcome(wanted.project, edited, _converge(workspace, wanted, report))


def change(workspace: Workspace, report: Report, *, command: str, edit: Edit) -> Outcome:
    """Change platform.toml, and bring the platform to it where there is one. Raises PlatformError."""
    with lock_workspace(workspace, command, report):
        edited = _edit(workspace, edit)
        wanted = workspace.wanted()
        is_there = bool(workspace.runtime.observe([]).instances)
        return Outcome(wanted.project, edited, _converge(workspace, wanted, report) if is_there else None)


def key_edit(edits: Edits) -> Edit:
    """Return the edit that sets keys of platform.toml, or of the overlay that is chosen."""

    def edit(project: Project) -> tuple[str, ...]:
        from platformctl.spec.edit import edit_keys  # noqa: PLC0415  # an `up` that edits nothing needn't wait for it

        return tuple(edit_keys(project.root, project.env, edits(project)))

    return edit


def preview(workspace: Workspace) -> Plan:
    """Return the plan that `up` would carry out; changes nothing."""
    wanted = workspace.wanted()
    leave = plan_leave(workspace, wanted.project)
    return Plan((*leave.plan.steps, *reconcile(wanted, _observe(workspace, wanted)).steps))


def _observe(workspace: Workspace, wanted: Wanted) -> Observed:
    return observe(wanted, workspace.runtime, workspace.connections.api(wanted.project))


def _edit(workspace: Workspace, edit: Edit) -> tuple[str, ...]:
    """Change platform.toml, unless what would come of it isn't a spec: then it is left as it was."""
    project = workspace.project()
    before = project.file.read_bytes()
    try:
        lines = edit(project)
        workspace.wanted()
    except BaseException:
        if project.file.read_bytes() != before:
            project.file.write_bytes(before)
        raise
    return lines


def _converge(workspace: Workspace, wanted: Wanted, report: Report) -> Plan:
    """First what leaves another runtime, then what leads to a server that answers, then what it turns out to lack."""
    leave = plan_leave(workspace, wanted.project)
    observed = _observe(workspace, wanted)
    plan = reconcile(wanted, observed)
    if not plan.changes:
        return plan
    if workspace.runtime.note:
        report(Notice(workspace.runtime.note))
    check_ready(plan, wanted, observed, workspace.runtime)
    execute(leave.plan, wanted.project, workspace.connections, leave.runtime, report)
    foundation = plan.foundation
    if not any(isinstance(step.change, StartService) for step in foundation.steps):
        return _carry_out(workspace, wanted, plan, report)
    preload(workspace.connections)
    _carry_out(workspace, wanted, foundation, report)
    rest = _carry_out(workspace, wanted, reconcile(wanted, _observe(workspace, wanted)), report)
    return Plan((*foundation.steps, *rest.steps))


def _carry_out(workspace: Workspace, wanted: Wanted, plan: Plan, report: Report) -> Plan:
    execute(plan, wanted.project, workspace.connections, workspace.runtime, report)
    return plan
