"""All that is touched of Prefect's private modules, in one place; a test for each supported version guards it."""

import asyncio
import contextlib
import functools
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
import certifi
import prefect.client.orchestration
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_flow_run
from prefect.runner._flow_run_executor import FlowRunExecutor, FlowRunExecutorContext
from prefect.runner._hook_runner import HookRunner
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._state_proposer import StateProposer
from prefect.settings import Settings, get_current_settings
from prefect.utilities.processutils import sanitize_subprocess_env
from prefect.workers.process import ProcessJobConfiguration

from prefect_warm_worker.forking import ForkedRun
from prefect_warm_worker.runs import Begin

ENGINE_MODULE = "prefect.engine"


class Executors:
    """Prefect's own executor of flow runs, over processes that somebody else starts, for all runs of a worker."""

    def __init__(self, context: FlowRunExecutorContext) -> None:
        self._context = context
        self._hooks: dict[UUID, Begin] = {}
        self._cancelling: dict[UUID, asyncio.Event] = {}

    async def execute(self, flow_run: FlowRun, begin: Begin, started: anyio.abc.TaskStatus[int]) -> ForkedRun:
        """Run a flow run to its end, and return its process."""
        starter = _Starter(begin, self._context)
        executor = self._context.create_executor(flow_run, starter, resolve_flow=_not_here, propose_submitting=False)
        executor._state_proposer = _Explaining(executor._state_proposer, starter)  # type: ignore[assignment]  # stands in for it
        executor._hook_runner = self._context._cancellation_manager._hook_runner = self  # type: ignore[assignment]  # as above
        self._hooks[flow_run.id] = begin
        try:
            run = await self._run(executor, starter, started)
            if cancelling := self._cancelling.get(flow_run.id):  # its hooks come after the end of its process
                await cancelling.wait()
        finally:
            del self._hooks[flow_run.id]
        return run

    async def cancel(self, flow_run: UUID) -> bool:
        """Cancel a flow run as Prefect does: its process, its hooks, its state. False where it has no process here (yet)."""
        if self._context.process_manager.get(flow_run) is None:
            return False
        if flow_run not in self._cancelling:
            cancelled = self._cancelling[flow_run] = asyncio.Event()
            try:
                await self._context._cancellation_manager.cancel_by_id(flow_run)
            finally:
                cancelled.set()
                del self._cancelling[flow_run]
        return True

    async def _run(
        self, executor: FlowRunExecutor, starter: "_Starter", started: anyio.abc.TaskStatus[int]
    ) -> ForkedRun:
        async with anyio.create_task_group() as group:
            handle: ProcessHandle | None = await group.start(executor.submit)
            if handle is not None and handle.pid is not None:
                started.started(handle.pid)
        if starter.run is None:
            raise RuntimeError("the flow run's process could not be started")
        return starter.run

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: State) -> None:
        """Run a flow's on_cancellation hooks, in a process of their own."""
        await self._run_hooks(flow_run, state)

    async def run_crashed_hooks(self, flow_run: FlowRun, state: State) -> None:
        """Run a flow's on_crashed hooks, in a process of their own."""
        await self._run_hooks(flow_run, state)

    async def _run_hooks(self, flow_run: FlowRun, state: State) -> None:
        begin = self._hooks[flow_run.id]
        async with begin({"PREFECT_WARM_WORKER_HOOKS_OF": state.model_dump_json()}, "prefect_warm_worker.hooks") as run:
            await run.ended.wait()


async def run_hooks(flow_run: FlowRun, state: State) -> None:
    """Run the hooks of a flow run's flow for a state, here: Cancelling or Crashed."""
    hooks = HookRunner(resolve_flow=_resolve_flow)
    await hooks.run_cancellation_hooks(flow_run, state)
    await hooks.run_crashed_hooks(flow_run, state)


@contextlib.asynccontextmanager
async def open_executors() -> AsyncIterator[Executors]:
    """Open what executes flow runs, and end what still runs at the end of the body."""
    async with FlowRunExecutorContext() as context:
        await context._observer.__aexit__(None, None, None)  # the worker listens for itself, for all of them
        yield Executors(context)


def _not_here(flow_run: FlowRun) -> Any:  # noqa: ANN401  # as below
    raise RuntimeError(f"the hooks of the flow run {flow_run.name} are run in a process of their own")


def _resolve_flow(flow_run: FlowRun) -> Any:  # noqa: ANN401  # an awaitable flow; older versions call it a flow
    return load_flow_from_flow_run(flow_run)


class _Starter:
    """Starts a flow run's process as Prefect's executor wants it done."""

    def __init__(self, begin: Begin, context: FlowRunExecutorContext) -> None:
        self._begin, self._context = begin, context
        self.run: ForkedRun | None = None

    async def start(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        port, token = self._context.control_channel.register(flow_run.id)
        control = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        async with self._begin(control, ENGINE_MODULE) as run:
            self.run = run
            task_status.started(ProcessHandle(run))  # type: ignore[arg-type]  # it asks for a pid and a return code
            await run.ended.wait()


class _Explaining:
    """Proposes states as Prefect's own proposer does, and says why a run was ended, where that is known."""

    def __init__(self, proposer: StateProposer, starter: _Starter) -> None:
        self._proposer, self._starter = proposer, starter

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever else it has
        return getattr(self._proposer, name)

    async def propose_crashed(self, flow_run: FlowRun, message: str) -> State | None:
        run = self._starter.run
        reason = f"The flow run was ended because {run.reason}. " if run and run.reason else ""
        return await self._proposer.propose_crashed(flow_run, f"{reason}{message}")


def engine_environment(
    flow_run: UUID, configured: Mapping[str, str | None], control: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that Prefect's own starter gives an engine. configured: the job's, None removes a variable."""
    own = {"PREFECT__FLOW_RUN_ID": str(flow_run), "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false", **control}
    return sanitize_subprocess_env({**common_environment(), **configured, **own})


def common_environment() -> dict[str, str]:
    """Return what all engines' environments have in common: this process's, and its settings.

    The worker has compared its version with the server's: the runs needn't ask again, each over a connection of its own.
    """
    checked = {"PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false"}
    return {**os.environ, **checked, **_settings_variables(get_current_settings())}


class JobConfiguration(ProcessJobConfiguration):
    """A flow run's job, whose variables aren't worked out anew for each run: half of what a run costs its worker."""

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        return dict(_settings_variables(get_current_settings()))


_worked_out: list[tuple[Settings, dict[str, str]]] = []
"""The settings that were asked for last, and their variables: they have no hash."""


def _settings_variables(settings: Settings) -> dict[str, str]:
    if not _worked_out or _worked_out[0][0] is not settings:
        _worked_out[:] = [(settings, settings.to_environment_variables(exclude_unset=True))]
    return _worked_out[0][1]


def share_authorities() -> None:
    """Have Prefect's clients of one process share what they know of certificate authorities, and read these now.

    Each client reads all authorities into a context of its own, for plain HTTP too: with two of them that is most of what
    a short run costs.
    """
    prefect.client.orchestration.ssl = _Tls("ssl")  # type: ignore[attr-defined]  # its import of the module
    _read_authorities(get_current_settings().api.ssl_cert_file or certifi.where())


class _Tls(ModuleType):
    """The module `ssl` with one client context for each file of authorities, for as long as the file doesn't change."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever else it has
        return getattr(ssl, name)

    def create_default_context(self, *, cafile: str | None = None) -> ssl.SSLContext:
        return _read_authorities(cafile) if cafile else ssl.create_default_context()


def _read_authorities(file: str) -> ssl.SSLContext:
    return _context(file, Path(file).stat().st_mtime_ns)


@functools.cache
def _context(file: str, _changed: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file)
