"""`render`: the bundle and the secrets on disk, and nothing started."""

from pathlib import Path

from platformctl.commands.workspace import Workspace
from platformctl.stack.files import changed_files, write_files
from platformctl.state.secrets import write_secrets


def render_to_disk(workspace: Workspace) -> tuple[Path, tuple[str, ...]]:
    """Write the bundle, and the secrets that it mounts; returns its folder and the files that changed."""
    wanted, project = workspace.wanted, workspace.project
    changed = changed_files(wanted.files, project.bundle)
    write_secrets(project)
    write_files(wanted.files, project.bundle)
    return project.bundle, changed
