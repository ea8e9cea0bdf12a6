"""Prefect's own executor of flow runs, over processes that somebody else starts, for all runs of a worker."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun, State
from prefect.runner._flow_run_executor import FlowRunExecutor, FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle

from prefect_warm_worker._prefect.answers import HAS_STORAGE, STORAGE, describe_answers
from prefect_warm_worker._prefect.shared_reads import SharedReads
from prefect_warm_worker._prefect.starting import ExplainingProposer, ForkedHooks, ForkStarter
from prefect_warm_worker._prefect.suspension import write_suspended
from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES, write_workspace
from prefect_warm_worker.forks.forked_run import Begin, ForkedRun
from prefect_warm_worker.protocol import ANSWERS, SUSPENDED, WORKSPACE


class Executors:
    """Executes flow runs, each with its own hooks, and cancels them."""

    def __init__(self, context: FlowRunExecutorContext, folder: Path | None, reads: SharedReads) -> None:
        """folder: where each run's workspace is made; None for among the system's temporary files. reads: the worker's."""
        self._context, self._folder, self._reads = context, folder, reads
        self._hooks: dict[UUID, Any] = {}
        self._cancelling: dict[UUID, asyncio.Event] = {}
        self._suspended: dict[UUID, tuple[FlowRun, Path]] = {}
        """The files in which runs look whether they were suspended."""

    async def execute(
        self, flow_run: FlowRun, begin: Begin, started: anyio.abc.TaskStatus[int], directory: Path, *, stream: bool
    ) -> ForkedRun:
        """Run a flow run to its end, and return its process. directory: where it starts. stream: its hooks' output too."""
        if HAS_STORAGE:
            await self._reads.read_storage()
        with self._prepared(flow_run, begin, directory, stream=stream) as variables:
            starter = ForkStarter(begin, self._context, variables)
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

    def tell_suspended(self, flow_run: UUID, state: State) -> bool:
        """Tell a flow run's process that it was suspended. False where it has none here (yet)."""
        if flow_run not in self._suspended:
            return False
        run, file = self._suspended[flow_run]
        if run.state is None or state.timestamp > run.state.timestamp:  # else it has been scheduled again since
            write_suspended(file, state)
        return True

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: State) -> None:
        """Run what the flow wants done when it is cancelled, in a process of its own."""
        await self._hooks[flow_run.id].run_cancellation_hooks(flow_run, state)

    async def run_crashed_hooks(self, flow_run: FlowRun, state: State) -> None:
        """Run what the flow wants done when its process crashed, in a process of its own."""
        await self._hooks[flow_run.id].run_crashed_hooks(flow_run, state)

    def _executor(self, flow_run: FlowRun, starter: ForkStarter) -> FlowRunExecutor:
        """The context has but one runner of hooks for all runs: this object, which knows each run's own."""
        executor = self._context.create_executor(flow_run, starter, resolve_flow=_not_here, propose_submitting=False)
        executor._state_proposer = ExplainingProposer(executor._state_proposer, starter)  # type: ignore[assignment]  # stands in for it
        executor._hook_runner = self._context._cancellation_manager._hook_runner = self
        return executor

    @contextlib.contextmanager
    def _prepared(
        self, flow_run: FlowRun, begin: Begin, directory: Path, *, stream: bool
    ) -> Iterator[Mapping[str, str]]:
        """Have what runs a run's hooks, and give the variables that tell the run's process how to prepare itself."""
        name = "prefect-workspace-attempt-"  # as Prefect has it
        with tempfile.TemporaryDirectory(prefix=name, dir=self._folder) as folder:
            answers = [
                answer
                for path in (f"/deployments/{flow_run.deployment_id}", STORAGE)
                for answer in self._reads.answers(path)
            ]
            variables = {ANSWERS: describe_answers(answers)}
            suspended = Path(folder) / "suspended.json"
            self._suspended[flow_run.id], variables[SUSPENDED] = (flow_run, suspended), str(suspended)
            self._hooks[flow_run.id] = ForkedHooks(begin)
            if HAS_WORKSPACES:
                file, self._hooks[flow_run.id] = write_workspace(flow_run.id, directory, Path(folder), stream=stream)
                variables[WORKSPACE] = str(file)
            try:
                yield variables
            finally:
                del self._hooks[flow_run.id], self._suspended[flow_run.id]

    async def _run(
        self, executor: FlowRunExecutor, starter: ForkStarter, started: anyio.abc.TaskStatus[int]
    ) -> ForkedRun:
        async with anyio.create_task_group() as group:
            handle: ProcessHandle | None = await group.start(executor.submit)
            if handle is not None and handle.pid is not None:
                started.started(handle.pid)
        if starter.run is None:
            raise RuntimeError("the flow run's process could not be started")
        return starter.run


@contextlib.asynccontextmanager
async def open_executors(folder: Path | None, reads: SharedReads) -> AsyncIterator[Executors]:
    """Open what executes flow runs, as `Executors` takes it, and end what still runs at the end of the body."""
    async with FlowRunExecutorContext() as context:
        await context._observer.__aexit__(None, None, None)  # the worker listens for itself, for all of them
        yield Executors(context, folder, reads)


def _not_here(flow_run: FlowRun) -> Any:  # noqa: ANN401  # an awaitable flow; older versions call it a flow
    raise RuntimeError(f"the hooks of the flow run {flow_run.name} are run in a process of their own")
