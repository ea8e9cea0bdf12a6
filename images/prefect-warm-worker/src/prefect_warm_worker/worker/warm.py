"""The worker: it takes flow runs from its pool as Prefect's process worker does, and forks each of them."""

import asyncio
import contextlib
import functools
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.events import Event
from prefect.workers.process import ProcessWorker, ProcessWorkerResult

from prefect_warm_worker._prefect.environments import common_environment, engine_environment
from prefect_warm_worker._prefect.executors import Executors, open_executors
from prefect_warm_worker._prefect.patience import be_patient
from prefect_warm_worker._prefect.shared_reads import SharedReads
from prefect_warm_worker._prefect.suspension import CAN_BE_TOLD
from prefect_warm_worker.contract import lost_run_message
from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.forking import ZygoteError
from prefect_warm_worker.forks.limits import Guard
from prefect_warm_worker.forks.runs import Forks, new_last_lines
from prefect_warm_worker.protocol import ENGINE_MODULE, Job
from prefect_warm_worker.worker.configuration import WarmJobConfiguration, WarmVariables
from prefect_warm_worker.worker.events import Listener
from prefect_warm_worker.worker.in_flight import Ending
from prefect_warm_worker.worker.lost import SETTLE_EVERY, LostRuns
from prefect_warm_worker.worker.outages import LEAST_PAUSE, OutageTolerantWorker
from prefect_warm_worker.worker.report import Report
from prefect_warm_worker.worker.settings import SettingsError, read_settings
from prefect_warm_worker.worker.suspensions import Suspensions

_SETTLE_UNHEARD = 10.0
"""Seconds between two searches for lost runs, and for those to be cancelled, while the server's events can't be heard."""


class WarmWorker(OutageTolerantWorker, ProcessWorker):
    """Starts flow runs as forks of a process that has imported Prefect and their libraries already."""

    type = "warm"
    job_configuration = WarmJobConfiguration
    job_configuration_variables = WarmVariables  # type: ignore[assignment]  # as in the base class, whose types differ by version

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as the base class has them
        super().__init__(*args, **kwargs)
        try:
            self._own = read_settings()
        except SettingsError as error:
            raise SystemExit(
                f"Error: {error}"
            ) from None  # any other exception ends `prefect worker start` with a traceback
        self._warm = contextlib.AsyncExitStack()
        self._forks: Forks | None = None
        self._executors: Executors | None = None
        self._guard = Guard()
        self._reads = SharedReads()
        self._report = Report(self._own.folder, self.name)
        self._listener = Listener(self._wake, self._cancel, self._suspend)
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def get_description(cls) -> str:
        """Say what it is, as Prefect lists types of workers."""
        return "Start flow runs in a fraction of a second, as forks of a process that has imported their libraries."

    async def start(
        self,
        run_once: bool = False,  # noqa: FBT001, FBT002  # as the base class has it
        with_healthcheck: bool = False,  # noqa: FBT001, FBT002  # as above
        printer: Callable[..., None] = print,
    ) -> None:
        """Work until told to stop: then take no more runs, let those in flight finish, and see to those that don't."""
        with self._stop.listening():
            working = asyncio.ensure_future(super().start(run_once, with_healthcheck, printer))
            stopping = asyncio.create_task(self._stop_when_asked(working, printer))
            try:
                await working
            except asyncio.CancelledError:
                if not self._stop.asked.is_set():
                    raise
                printer(f"Worker {self.name!r} stopped!")
            finally:
                stopping.cancel()

    async def __aenter__(self) -> "WarmWorker":
        """Start the zygote before any run is taken."""
        async with contextlib.AsyncExitStack() as started:
            started.push_async_callback(self._warm.aclose)  # by this task, as anyio wants it
            await self._start_zygote()
            await super().__aenter__()
            started.pop_all()
        be_patient()  # only now: a server that never answered is an error
        self._reads.share(self.client)
        self._cancel_in_runner = await self.take_cancellations()
        for work in (self._listen(), self._poll_when_woken(), self._settle_lost_runs(), self._guard.watch()):
            self._begin(work)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:  # noqa: ANN401  # as the base class has them
        """Let the zygote go after the last run."""
        try:
            await super().__aexit__(*exc_info)
        finally:
            for task in self._tasks:
                task.cancel()
            await self._warm.aclose()

    async def find_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Ask for flow runs, and read all that concerns them after that."""
        found = await super().find_flow_runs()
        self._reads.note_found()
        return found

    async def run(
        self,
        flow_run: FlowRun,
        configuration: WarmJobConfiguration,  # type: ignore[override]  # the one of this type
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run to its end: as a fork, unless forking is unsafe here, or the job has a command of its own."""
        with self._in_flight.holding(flow_run.id):
            forks, executors = self._forks, self._executors
            if forks is None or executors is None or not await self._is_forkable(forks, flow_run, configuration):
                return await super().run(flow_run, configuration.for_new_process(), task_status)
            result = await self._run_forked(forks, executors, flow_run, configuration, task_status)
        if self._may_have_left or self.work_pool.concurrency_limit is not None:
            self._wake.set()
        return result

    async def _is_forkable(self, forks: Forks, flow_run: FlowRun, configuration: WarmJobConfiguration) -> bool:
        reason = "it has a command of its own" if configuration.has_own_command else await forks.why_not()
        if reason:
            self._report.note_run(reason)
            self.get_flow_run_logger(flow_run).info("Started as a new process: %s.", reason)
            return False
        self._report.note_preloading(forks.zygote.preloading, self.log)
        return True

    async def _run_forked(
        self,
        forks: Forks,
        executors: Executors,
        flow_run: FlowRun,
        configuration: WarmJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None,
    ) -> ProcessWorkerResult:
        lines = new_last_lines()

        @contextlib.asynccontextmanager
        async def begin(more: Mapping[str, str], module: str) -> AsyncIterator[ForkedRun]:
            os.close(os.open(directory, os.O_PATH | os.O_DIRECTORY))  # raises what starting a process there would
            job = Job(
                module,
                engine_environment(
                    flow_run.id, configuration.env, {**more, **self.storage_variables, **configuration.related}
                ),
                directory,
            )
            async with forks.begin(job, lines, stream=stream) as run:
                if module == ENGINE_MODULE:
                    self._in_flight.note(flow_run.id, run)
                    self._tell_how(flow_run, run)
                with self._guard.limiting(run, configuration.limits(self._own)):
                    yield run

        with configuration.directory(self._own) as directory:
            started, stream = task_status or anyio.TASK_STATUS_IGNORED, configuration.stream_output
            run = await executors.execute(flow_run, begin, started, directory, stream=stream)
        if run.returncode:
            if said := run.last_words(lines):
                self.get_flow_run_logger(flow_run).error("%s", said)
            await self._lost_runs.crash_subflows(flow_run.id)
        return ProcessWorkerResult(status_code=run.returncode or 0, identifier=str(run.pid))

    async def _start_zygote(self) -> None:
        """Start what forks; where that is unsafe say why, and leave it to new processes."""
        named = None if self._own.preload is None else [name for name in self._own.preload.split(",") if name]
        forks = Forks(
            Path.cwd(),
            named,
            common_environment(),
            most_others=self._own.zygotes,
            seconds=self._own.preload_seconds,
        )
        if reason := await self._why_not(forks):
            self.log.warning("Flow runs are started as new processes: %s", reason)
            return
        if not await forks.why_not():
            self._report.note_preloading(forks.zygote.preloading, self.log)
        executors = open_executors(self._own.folder, self._reads)
        self._forks, self._executors = forks, await self._warm.enter_async_context(executors)

    async def _why_not(self, forks: Forks) -> str | None:
        if sys.platform != "linux":
            return "forking is safe on Linux only."
        try:
            await self._warm.enter_async_context(forks)
        except ZygoteError as error:
            return f"{error}."
        return None

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside all else, for as long as the worker works."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        while not self.has_pool:
            await asyncio.sleep(LEAST_PAUSE)
        await self._listener.listen(self.work_pool.id)

    def _cancel(self, flow_run: UUID) -> None:
        """Cancel a flow run if it is this worker's, as soon as it has a process."""
        self._cancel_in_runner(flow_run)
        if flow_run in self._in_flight.ids() and self._executors is not None:
            self._begin(self._cancel_with(self._executors, flow_run))

    async def _cancel_with(self, executors: Executors, flow_run: UUID) -> None:
        while flow_run in self._in_flight.ids():
            if run := self._in_flight.process_of(flow_run):
                run.is_cancelled = True
            if await executors.cancel(flow_run):
                return
            await asyncio.sleep(LEAST_PAUSE)

    def _give_up(self, flow_run: UUID) -> None:
        """End a run's process, and leave the run to the worker that has it now."""
        if run := self._in_flight.process_of(flow_run):
            run.kill("another worker runs it: this one was silent for too long", is_handed_back=True)

    @functools.cached_property
    def _suspensions(self) -> Suspensions | None:
        if self._executors is None or not CAN_BE_TOLD:
            return None
        return Suspensions(self.client, self._in_flight.ids, self._executors.tell_suspended)

    def _suspend(self, event: Event | None) -> None:
        if self._suspensions is not None:
            self._begin(self._suspensions.heed(event))

    @functools.cached_property
    def _lost_runs(self) -> LostRuns:
        return LostRuns(self.client, self.work_pool.name, self.name, self._own.on_stop)

    async def _settle_lost_runs(self) -> None:
        """See to flow runs that nobody runs any more: this worker's as soon as it has polled, others' later."""
        while self._polled is None:
            await asyncio.sleep(LEAST_PAUSE)
        while True:
            if self._may_have_lost_runs:
                await self._search_lost_runs()
            await asyncio.sleep(SETTLE_EVERY if self._listener.is_connected else _SETTLE_UNHEARD)

    @property
    def _may_have_lost_runs(self) -> bool:
        """Whether the pool has unfinished runs, as far as is known; an idle one needn't be searched again and again."""
        return self._lost_runs.has_unfinished or self._listener.has_heard or not self._listener.is_connected

    async def _search_lost_runs(self) -> None:
        self._listener.has_heard = False
        try:
            judged = self._lost_runs.settle(self._in_flight.ids, self._cancel, self._give_up, others=self.is_steady)
            for run, cause in await judged:
                self.get_flow_run_logger(run).error(lost_run_message(cause))
        except Exception as error:  # noqa: BLE001  # the next search finds what this one didn't
            self._listener.has_heard = True
            self.log.warning("Lost flow runs could not be searched for: %s", error)

    async def _stop_when_asked(self, working: asyncio.Future[None], printer: Callable[..., None]) -> None:
        await self._stop.asked.wait()
        grace = self._own.grace
        if running := self._in_flight.ids():
            printer(f"Worker {self.name!r} stops. Flow runs that get {grace:g} s to finish: {len(running)}")
        if not await self._in_flight.are_through(grace, until=self._stop.hurried):
            ending = Ending(self.client, self._lost_runs, f"Its worker {self.name} was stopped")
            await ending.end(self._in_flight, is_rescheduled=self._own.on_stop == "reschedule")
        working.cancel()

    def _tell_how(self, flow_run: FlowRun, run: ForkedRun) -> None:
        late = f"{', '.join(run.read_too_late)} would be read too late" if run.read_too_late else None
        self._report.note_run(late)
        if late:
            self.get_flow_run_logger(flow_run).info("Started as a new process: %s.", late)
