"""What Prefect's executor of a flow run starts it with, proposes its states with and runs its hooks with: forks do all of that."""

from collections.abc import Mapping
from typing import Any

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun, State
from prefect.runner import _process_manager
from prefect.runner._flow_run_executor import FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._state_proposer import StateProposer

from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES
from prefect_warm_worker.forks.forked_run import Begin, ForkedRun
from prefect_warm_worker.protocol import ENGINE_MODULE, HOOKS_MODULE, HOOKS_OF


class ForkStarter:
    """Starts a flow run's process as Prefect's executor wants it done."""

    def __init__(self, begin: Begin, context: FlowRunExecutorContext, variables: Mapping[str, str]) -> None:
        """variables: more of them for the process."""
        self._begin, self._context, self._variables = begin, context, variables
        self.run: ForkedRun | None = None

    async def start(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Begin the run, and wait for its end."""
        port, token = self._context.control_channel.register(flow_run.id)
        control = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        async with self._begin({**control, **self._variables}, ENGINE_MODULE) as run:
            self.run = run
            task_status.started(_handle(run))
            await run.ended.wait()


def _handle(run: ForkedRun) -> ProcessHandle:
    """Return what Prefect ends a run with: where its own worker ends a run's process group, this does."""
    if not HAS_WORKSPACES:
        return ProcessHandle(run)  # type: ignore[arg-type]  # it asks for a pid and a return code
    manager: Any = _process_manager  # the oldest version has no scopes
    handle: ProcessHandle = manager.ProcessHandle(run, manager.create_isolated_termination_scope(run.pid))
    return handle


class ExplainingProposer:
    """Proposes states as Prefect's own proposer does, and says why a run was ended, where that is known."""

    def __init__(self, proposer: StateProposer, starter: ForkStarter) -> None:
        self._proposer, self._starter = proposer, starter

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever else it has
        return getattr(self._proposer, name)

    async def propose_crashed(self, flow_run: FlowRun, message: str) -> State | None:
        """Propose that a flow run crashed."""
        run = self._starter.run
        reason = f"The flow run was ended because {run.reason}. " if run and run.reason else ""
        return await self._proposer.propose_crashed(flow_run, f"{reason}{message}")


class ForkedHooks:
    """Runs hooks in a fork, as Prefect before 3.8 does in the worker itself, where a user's code could change or end it."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def run_cancellation_hooks(self, _: FlowRun, state: State) -> None:
        """Run them where a run is to be cancelled."""
        if state.is_cancelling():
            await self._run(state)

    async def run_crashed_hooks(self, _: FlowRun, state: State) -> None:
        """Run them where a run crashed."""
        if state.is_crashed():  # not where the server refused to have it crashed, because it is being cancelled
            await self._run(state)

    async def _run(self, state: State) -> None:
        variables = {HOOKS_OF: state.model_dump_json()}
        async with self._begin(variables, HOOKS_MODULE) as run:
            await run.ended.wait()
