"""`up`: bring a platform to what its files want."""

from platformctl.commands.change import Edits, Outcome, converge, edit_keys_of, edit_nothing, edited_spec
from platformctl.commands.workspace import Workspace
from platformctl.plan.report import Report


def up(workspace: Workspace, report: Report, *, edits: Edits | None = None) -> Outcome:
    """Bring a platform to what its files want, and wait until every worker is online in Prefect.

    edits: changes to platform.toml that come first. Raises PlatformError; typed again, it goes on from where it was.
    """
    edit = edit_keys_of(edits) if edits else edit_nothing
    with workspace.locked("platformctl up", report) as locked, edited_spec(locked, edit, report) as (lines, edited):
        return Outcome(edited.project, lines, converge(edited, report))
