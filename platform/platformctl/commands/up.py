"""`up`: bring a platform to what its files want."""

from platformctl.commands.change import Edits, Outcome, converge, edit_keys_of, edit_spec
from platformctl.commands.workspace import Workspace
from platformctl.plan.report import Report


def up(workspace: Workspace, report: Report, *, edits: Edits | None = None) -> Outcome:
    """Bring a platform to what its files want, and wait until every worker is online in Prefect.

    edits: changes to platform.toml that come first. Raises PlatformError; typed again, it goes on from where it was.
    """
    with workspace.locked("platformctl up", report) as locked:
        lines, edited = edit_spec(locked, edit_keys_of(edits)) if edits else ((), locked)
        return Outcome(edited.project, lines, converge(edited, report))
