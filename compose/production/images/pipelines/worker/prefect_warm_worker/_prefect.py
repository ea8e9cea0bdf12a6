"""All that is touched of Prefect's private modules, in one place; a test for each supported version guards it."""

import asyncio
import contextlib
import functools
import importlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_flow_run
from prefect.runner import _process_manager
from prefect.runner._flow_run_executor import FlowRunExecutor, FlowRunExecutorContext
from prefect.runner._hook_runner import HookRunner
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._state_proposer import StateProposer
from prefect.settings import Settings, get_current_settings
from prefect.utilities.processutils import sanitize_subprocess_env

from prefect_warm_worker.child import WORKSPACE
from prefect_warm_worker.forking import ForkedRun
from prefect_warm_worker.modules import look_for_modules
from prefect_warm_worker.runs import Begin

if TYPE_CHECKING:
    from prefect.workers.process import ProcessWorker

ENGINE_MODULE = "prefect.engine"
HOOKS_OF = "PREFECT_WARM_WORKER_HOOKS_OF"
"""The variable that tells a fork the state whose hooks it runs, as JSON."""
_CHECKED = {"PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false"}
"""The worker has compared its version with the server's: runs needn't ask again, each over a connection of its own."""


def _import(name: str) -> Any:  # noqa: ANN401  # a module that the oldest version lacks
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


_supervisor, _runtime, _hooks = (
    _import(f"prefect.runner._workspace_{name}") for name in ("supervisor", "runtime", "hook_runner")
)
"""Since Prefect 3.8 a supervisor fetches a flow's code before the engine starts, and hooks run in processes of their own."""
GIVES_SESSIONS = _supervisor is not None
"""Whether a run that Prefect starts as a new process leads a session."""


class Executors:
    """Prefect's own executor of flow runs, over processes that somebody else starts, for all runs of a worker."""

    def __init__(self, context: FlowRunExecutorContext) -> None:
        self._context = context
        self._hooks: dict[UUID, Any] = {}
        self._cancelling: dict[UUID, asyncio.Event] = {}

    async def execute(
        self, flow_run: FlowRun, begin: Begin, started: anyio.abc.TaskStatus[int], directory: Path, *, stream: bool
    ) -> ForkedRun:
        """Run a flow run to its end, and return its process. directory: where it starts. stream: its hooks' output too."""
        with self._prepared(flow_run, begin, directory, stream=stream) as variables:
            starter = _Starter(begin, self._context, variables)
            run = await self._run(self._executor(flow_run, starter), starter, started)
            if cancelling := self._cancelling.get(flow_run.id):  # its hooks come after the end of its process
                await cancelling.wait()
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

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: State) -> None:
        """Run what the flow wants done when it is cancelled, in a process of its own."""
        await self._hooks[flow_run.id].run_cancellation_hooks(flow_run, state)

    async def run_crashed_hooks(self, flow_run: FlowRun, state: State) -> None:
        """Run what the flow wants done when its process crashed, in a process of its own."""
        await self._hooks[flow_run.id].run_crashed_hooks(flow_run, state)

    def _executor(self, flow_run: FlowRun, starter: "_Starter") -> FlowRunExecutor:
        """The context has but one runner of hooks for all runs: this object, which knows each run's own."""
        executor = self._context.create_executor(flow_run, starter, resolve_flow=_not_here, propose_submitting=False)
        executor._state_proposer = _Explaining(executor._state_proposer, starter)  # type: ignore[assignment]  # stands in for it
        executor._hook_runner = self._context._cancellation_manager._hook_runner = self  # type: ignore[assignment]  # as above
        return executor

    @contextlib.contextmanager
    def _prepared(
        self, flow_run: FlowRun, begin: Begin, directory: Path, *, stream: bool
    ) -> Iterator[Mapping[str, str]]:
        """Have what runs a run's hooks, and give the variables that tell the run's process how to prepare itself."""
        with tempfile.TemporaryDirectory(prefix="prefect-workspace-attempt-") as folder:  # as Prefect names it
            file, manifest = Path(folder, "supervisor.json"), Path(folder, "workspace.json")
            self._hooks[flow_run.id] = _ForkedHooks(begin)
            if _supervisor:
                told = _runtime.WorkspaceSupervisorConfig(
                    flow_run_id=flow_run.id, workspace_root=directory.resolve(), manifest_path=manifest
                )
                _runtime.write_private_model(file, told)
                self._hooks[flow_run.id] = _hooks.WorkspaceHookRunner(manifest_path=manifest, stream_output=stream)
            try:
                yield {WORKSPACE: str(file)} if _supervisor else {}
            finally:
                del self._hooks[flow_run.id]

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


@contextlib.asynccontextmanager
async def open_executors() -> AsyncIterator[Executors]:
    """Open what executes flow runs, and end what still runs at the end of the body."""
    async with FlowRunExecutorContext() as context:
        await context._observer.__aexit__(None, None, None)  # the worker listens for itself, for all of them
        yield Executors(context)


async def take_cancellations(worker: "ProcessWorker") -> Callable[[UUID], None]:
    """Have a process worker's own runner listen no more for cancellations; returns what tells it of one, if the run is its."""
    observer: Any = worker._runner._cancelling_observer
    await observer.__aexit__(None, None, None)

    def cancel(flow_run: UUID) -> None:
        if flow_run in observer._in_flight_flow_run_ids:
            observer.on_cancelling(flow_run)

    return cancel


class _ForkedHooks:
    """Runs hooks in a fork, as Prefect before 3.8 does in the worker itself, where a user's code could change or end it."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def run_cancellation_hooks(self, _: FlowRun, state: State) -> None:
        if state.is_cancelling():
            await self._run(state)

    async def run_crashed_hooks(self, _: FlowRun, state: State) -> None:
        if state.is_crashed():  # not where the server refused to have it crashed, because it is being cancelled
            await self._run(state)

    async def _run(self, state: State) -> None:
        variables = {HOOKS_OF: state.model_dump_json()}
        async with self._begin(variables, "prefect_warm_worker.hooks") as run:
            await run.ended.wait()


async def run_hooks(flow_run: FlowRun, state: State) -> None:
    """Run the hooks of a flow run's flow for a state, here: Cancelling or Crashed."""
    hooks = HookRunner(resolve_flow=_resolve_flow)
    await hooks.run_cancellation_hooks(flow_run, state)
    await hooks.run_crashed_hooks(flow_run, state)


def _not_here(flow_run: FlowRun) -> Any:  # noqa: ANN401  # as below
    raise RuntimeError(f"the hooks of the flow run {flow_run.name} are run in a process of their own")


def _resolve_flow(flow_run: FlowRun) -> Any:  # noqa: ANN401  # an awaitable flow; older versions call it a flow
    return load_flow_from_flow_run(flow_run)


def enter_workspace(file: str) -> int | None:
    """Have Prefect's supervisor prepare a run's workspace in this process, and enter it.

    The supervisor would become the engine by `exec`. Returns its exit code where it fails, else None. Where it wants another
    command than the engine's (`uv run`, of a project that installs itself), this process becomes that one.
    """
    launched: list[tuple[list[str], Path, dict[str, str]]] = []

    async def note(command: list[str], *, cwd: Path, environment: dict[str, str]) -> int:
        launched.append((command, cwd, environment))
        return 0

    _supervisor._launch_engine = note
    code: int = _supervisor.main([file])
    if not launched:
        return code
    command, folder, environment = launched[0]
    os.chdir(folder)
    if command[1:] != ["-m", ENGINE_MODULE]:
        os.execvpe(command[0], command, environment)  # noqa: S606  # without a shell
    before = os.environ.get("PYTHONPATH", "")
    os.environ.clear()
    os.environ.update(environment)
    look_for_modules(str(folder), before)
    return None


def leave_heartbeats() -> None:
    """Have a flow's end not wait for the thread of its heartbeats, as an asynchronous flow's doesn't in Prefect either.

    It sleeps in whole seconds, and ends by itself or with its process.
    """
    engine: Any = _import("prefect.flow_engine")
    engine._send_heartbeats = functools.partial(engine._send_heartbeats, join_on_exit=False)


class _Starter:
    """Starts a flow run's process as Prefect's executor wants it done."""

    def __init__(self, begin: Begin, context: FlowRunExecutorContext, variables: Mapping[str, str]) -> None:
        self._begin, self._context, self._variables = begin, context, variables
        self.run: ForkedRun | None = None

    async def start(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        port, token = self._context.control_channel.register(flow_run.id)
        control = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        async with self._begin({**control, **self._variables}, ENGINE_MODULE) as run:
            self.run = run
            task_status.started(_handle(run))
            await run.ended.wait()


def _handle(run: ForkedRun) -> ProcessHandle:
    """Return what Prefect ends a run with: where its own worker ends a run's process group, this does."""
    if _supervisor is None:
        return ProcessHandle(run)  # type: ignore[arg-type]  # it asks for a pid and a return code
    manager: Any = _process_manager  # the oldest version has no scopes
    handle: ProcessHandle = manager.ProcessHandle(run, manager.create_isolated_termination_scope(run.pid))
    return handle


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


def storage_variables(worker: "ProcessWorker") -> dict[str, str]:
    """Return the variable with which the runner of a process worker names its folder for flows' code, before Prefect 3.8."""
    return {} if _supervisor else {"PREFECT__STORAGE_BASE_PATH": str(worker._runner._tmp_dir)}


def engine_environment(
    flow_run: UUID, configured: Mapping[str, str | None], control: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that Prefect's own starter gives an engine. configured: the job's, None removes a variable.

    The worker's settings win over the job's variables before Prefect 3.8, and the other way round since.
    """
    settings = settings_variables(get_current_settings())
    given = {**settings, **configured} if _supervisor else {**configured, **settings}
    own = {"PREFECT__FLOW_RUN_ID": str(flow_run), "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false", **control}
    return sanitize_subprocess_env({**os.environ, **_CHECKED, **given, **own})


def common_environment() -> dict[str, str]:
    """Return what all engines' environments have in common: this process's, and its settings."""
    return {**os.environ, **_CHECKED, **settings_variables(get_current_settings())}


_worked_out: list[tuple[Settings, dict[str, str]]] = []
"""The settings that were asked for last, and their variables: they have no hash."""


def settings_variables(settings: Settings) -> dict[str, str]:
    """Return what Prefect makes of its settings for another process, worked out once for each settings."""
    if not _worked_out or _worked_out[0][0] is not settings:
        _worked_out[:] = [(settings, settings.to_environment_variables(exclude_unset=True))]
    return _worked_out[0][1]
