"""Names that a shell completes, read from the platform; none where that doesn't answer: a shell shows no errors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from platformctl.adapters.prefect.ports import Api


def complete_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the last flow runs."""
    from platformctl.commands.runs import run_names

    return _names(context, run_names, incomplete)


def complete_deployments(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the deployments, FLOW/DEPLOYMENT."""
    return _names(context, lambda api: api.deployment_names(), incomplete)


def _names(context: typer.Context, read: "Callable[[Api], list[str]]", incomplete: str) -> list[str]:
    from platformctl.commands.workspace import Workspace

    root = context.find_root()
    given = root.obj if isinstance(root.obj, Workspace) else Workspace()
    folder = Path(root.params.get("directory") or Path())
    try:
        api = replace(given, folder=folder, env=root.params.get("env")).ready_api()
        names = read(api) if api else []
    except Exception:  # noqa: BLE001  # whatever it is, the command itself will say it
        return []
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
