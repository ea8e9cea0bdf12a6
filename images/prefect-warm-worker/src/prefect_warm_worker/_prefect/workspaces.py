"""Workspaces, which Prefect has since 3.8: a supervisor fetches a flow's code into one before the engine starts.

Hooks run in a workspace as well, in processes of their own.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.logging.handlers import APILogWorker

SUPERVISOR_MODULE = "prefect.runner._workspace_supervisor"
"""What Prefect runs before the engine, with a file as the argument."""


def _import(name: str) -> Any:  # noqa: ANN401  # a module that older versions lack
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


supervisor, runtime, hook_runner = (
    _import(f"prefect.runner._workspace_{name}") for name in ("supervisor", "runtime", "hook_runner")
)
HAS_WORKSPACES = supervisor is not None
"""Whether Prefect prepares workspaces. Where it does, a run that it starts as a new process leads a session."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a supervisor would become once a workspace is prepared."""

    command: list[str]
    folder: Path
    environment: dict[str, str]


def prepare_workspace(file: str) -> Launch | int:
    """Have Prefect's supervisor prepare a run's workspace; returns its exit code where that fails.

    The supervisor would become the engine by `exec`. file: what a worker has written with `write_workspace`.
    """
    launched: list[Launch] = []

    async def note(command: list[str], *, cwd: Path, environment: dict[str, str]) -> int:
        launched.append(Launch(command, cwd, environment))
        return 0

    supervisor._launch_engine, supervisor.APILogHandler = note, _Logs
    code: int = supervisor.main([file])
    return launched[0] if launched else code


class _Logs:
    """Stands in for Prefect's handler of logs, whose flush ends all services of a process: its connection for events, too."""

    @staticmethod
    async def aflush() -> None:
        """Have the server told what was logged."""
        services: Any = APILogWorker
        for service in [each for each in services._instances.values() if isinstance(each, APILogWorker)]:
            drained: Any = service.drain()
            await drained


def write_workspace(flow_run: UUID, root: Path, folder: Path, *, stream: bool) -> tuple[Path, Any]:
    """Say in a folder's file what is to be prepared. Returns the file, and what runs the flow's hooks in the workspace.

    root: where the run starts. stream: whether to copy the hooks' output.
    """
    file, manifest = folder / "supervisor.json", folder / "workspace.json"
    wanted = runtime.WorkspaceSupervisorConfig(
        flow_run_id=flow_run, workspace_root=root.resolve(), manifest_path=manifest
    )
    runtime.write_private_model(file, wanted)
    return file, hook_runner.WorkspaceHookRunner(manifest_path=manifest, stream_output=stream)
