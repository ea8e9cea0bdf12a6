"""All that is touched of Prefect's private modules, in one place; a test for each supported version guards it."""

import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.flows import load_flow_from_flow_run
from prefect.runner._flow_run_executor import FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.settings import get_current_settings
from prefect.utilities.processutils import sanitize_subprocess_env

from prefect_warm_worker.forking import ForkedRun
from prefect_warm_worker.runs import Begin


class Executors:
    """Prefect's own executor of flow runs, over processes that somebody else starts: it cancels, crashes and runs hooks.

    One for all runs of a worker: each would listen to the server by itself.
    """

    def __init__(self, context: FlowRunExecutorContext) -> None:
        self._context = context

    async def execute(self, flow_run: FlowRun, begin: Begin, started: anyio.abc.TaskStatus[int]) -> ForkedRun:
        """Run a flow run to its end, and return its process."""
        starter = _Starter(begin, self._context)
        executor = self._context.create_executor(
            flow_run, starter, resolve_flow=_resolve_flow, propose_submitting=False
        )
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
        yield Executors(context)


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
        async with self._begin(control) as run:
            self.run = run
            task_status.started(ProcessHandle(run))  # type: ignore[arg-type]  # it asks for a pid and a return code
            await run.ended.wait()


def engine_environment(
    flow_run: UUID, configured: Mapping[str, str | None], control: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that Prefect's own starter gives an engine. configured: the job's, None removes a variable."""
    settings = get_current_settings().to_environment_variables(exclude_unset=True)
    own = {"PREFECT__FLOW_RUN_ID": str(flow_run), "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false", **control}
    return sanitize_subprocess_env({**os.environ, **settings, **configured, **own})
