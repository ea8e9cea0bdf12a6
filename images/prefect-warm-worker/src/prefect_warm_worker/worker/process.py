"""Prefect's process worker that sees to what is lost, and to what is to be cancelled, as a warm one does: it never forks.

Importing this puts it in the place of Prefect's own for this process. That one leaves what it had running for ever when it is
killed, and hears of no cancellation any more once its server was away (before Prefect 3.9).
"""

from collections.abc import Callable

import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessJobConfiguration, ProcessVariables, ProcessWorker, ProcessWorkerResult

from prefect_warm_worker.worker.warm import WarmWorker


class AttentiveProcessWorker(WarmWorker):
    """Starts each flow run as a new process, and stops, as Prefect's own worker of this type does."""

    type = "process"
    job_configuration = ProcessJobConfiguration  # type: ignore[assignment]  # as of Prefect's own
    job_configuration_variables = ProcessVariables  # type: ignore[assignment]  # as above

    @classmethod
    def get_description(cls) -> str:
        """Say what Prefect says."""
        return ProcessWorker.get_description()

    async def start(
        self,
        run_once: bool = False,  # noqa: FBT001, FBT002  # as the base class has it
        with_healthcheck: bool = False,  # noqa: FBT001, FBT002  # as above
        printer: Callable[..., None] = print,
    ) -> None:
        """Work until a signal ends it, and its runs with it."""
        await ProcessWorker.start(self, run_once, with_healthcheck, printer)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run to its end."""
        with self._in_flight.holding(flow_run.id):
            return await ProcessWorker.run(self, flow_run, configuration, task_status)

    async def _start_zygote(self) -> None:
        """Nothing is forked."""
