"""`deploy`: bring deployments to what prefect.yaml declares, with the images and workers that they need; the server stays."""

from collections.abc import Sequence
from dataclasses import replace

from platformctl.commands.change import PhasesOf, converge
from platformctl.commands.plan import Preview, preview
from platformctl.commands.run import require_server
from platformctl.commands.workspace import Workspace
from platformctl.plan.command_phases import deploy_phases
from platformctl.plan.phases import Phase
from platformctl.plan.report import Report
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from platformctl.spec.problems import unknown_name


def deploy(workspace: Workspace, names: Sequence[str], report: Report, *, prunes: bool) -> Plan:
    """Bring deployments to what is declared, and return what was done.

    names: DEPLOYMENT or FLOW/DEPLOYMENT; all of them where none is named. prunes: whether what came from here and is declared
    no more is removed, where none is named. Raises UsageError for an unknown name, ServerError where no server answers.
    """
    with workspace.locked("platformctl deploy", report) as locked:
        require_server(locked)
        return converge(locked, report, _phases_of(names, prunes=prunes))


def preview_deploy(workspace: Workspace, names: Sequence[str], *, prunes: bool) -> Preview:
    """Return what `deploy` would do; changes nothing."""
    require_server(workspace)
    return preview(workspace, _phases_of(names, prunes=prunes))


def _phases_of(names: Sequence[str], *, prunes: bool) -> PhasesOf:
    def phases_of(wanted: Wanted) -> tuple[Phase, ...]:
        return deploy_phases(_chosen(wanted, names), is_whole=not names, prunes=prunes and not names)

    return phases_of


def _chosen(wanted: Wanted, names: Sequence[str]) -> Wanted:
    """The same with those deployments alone that are named."""
    if not names:
        return wanted
    declared = wanted.stack.deployments
    known = {name: found for found in declared for name in (f"{found.flow}/{found.name}", found.name)}
    for name in names:
        if name not in known:
            remedy = "Declare it in prefect.yaml, or name one that is there."
            raise unknown_name(
                f"prefect.yaml has no deployment {name!r}", name, [found.name for found in declared], remedy=remedy
            )
    chosen = tuple(found for found in declared if {found.name, f"{found.flow}/{found.name}"} & set(names))
    return replace(wanted, stack=replace(wanted.stack, deployments=chosen))
