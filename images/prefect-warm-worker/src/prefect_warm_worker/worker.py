"""The worker: it takes flow runs from its pool as Prefect's process worker does, and forks each of them."""

import asyncio
import contextlib
import functools
import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessJobConfiguration, ProcessVariables, ProcessWorker, ProcessWorkerResult

from prefect_warm_worker._prefect import Executors, engine_environment, open_executors
from prefect_warm_worker.forking import ForkedRun, ZygoteError
from prefect_warm_worker.preload import ENGINE, find_libraries
from prefect_warm_worker.runs import Forks, new_last_lines
from prefect_warm_worker.trigger import wake_when_scheduled

PRELOAD = "PREFECT_WARM_WORKER_PRELOAD"
"""The variable that names what is imported ahead, separated by commas; where it isn't set, what the flows here import."""
_LEAST_PAUSE = 0.1
"""Seconds between two polls, however many runs are scheduled or end."""


class WarmWorker(ProcessWorker):
    """Starts flow runs as forks of a process that has imported Prefect and their libraries already."""

    type = "warm"
    job_configuration = ProcessJobConfiguration
    job_configuration_variables = ProcessVariables  # type: ignore[assignment]  # as in the base class, whose types differ by version
    _description = "Start flow runs in a fraction of a second, as forks of a process that has imported their libraries."
    _display_name = "Warm"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as the base class has them
        super().__init__(*args, **kwargs)
        self._warm = contextlib.AsyncExitStack()
        self._forks: Forks | None = None
        self._executors: Executors | None = None
        self._wake = asyncio.Event()

    async def __aenter__(self) -> "WarmWorker":
        """Start the zygote before any run is taken."""
        await self._start_zygote()
        await super().__aenter__()
        polling = asyncio.create_task(self._poll_when_woken())
        self._warm.callback(polling.cancel)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:  # noqa: ANN401  # as the base class has them
        """Let the zygote go after the last run."""
        try:
            await super().__aexit__(*exc_info)
        finally:
            await self._warm.aclose()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run to its end: as a fork, unless forking is unsafe here, or the job has a command of its own."""
        if self._forks is None or self._executors is None or _has_own_command(configuration):
            return await super().run(flow_run, configuration, task_status)
        started = task_status or anyio.TASK_STATUS_IGNORED
        lines = new_last_lines()
        with _directory(configuration) as directory:
            begin = functools.partial(self._begin, self._forks, flow_run, configuration, directory, lines)
            run = await self._executors.execute(flow_run, begin, started)
        self._wake.set()  # there is room for another one
        self._explain(flow_run, run, lines)
        return ProcessWorkerResult(status_code=run.returncode or 0, identifier=str(run.pid))

    def _begin(  # noqa: PLR0913, PLR0917  # all that a run needs
        self,
        forks: Forks,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        directory: Path,
        lines: deque[str],
        control: Mapping[str, str],
    ) -> AbstractAsyncContextManager[ForkedRun]:
        environment = engine_environment(flow_run.id, configuration.env, control)
        return forks.begin(environment, directory, lines, stream=configuration.stream_output)

    async def _start_zygote(self) -> None:
        """Start what forks; where that is unsafe say why, and leave it to new processes."""
        forks = Forks([*ENGINE, *_libraries()])
        reason = await self._why_not(forks)
        if reason:
            self._logger.warning("Flow runs are started as new processes: %s", reason)
            return
        for name, said in forks.zygote.failed.items():
            self._logger.warning("%s can't be imported ahead of the flow runs: %s", name, said)
        self._forks, self._executors = forks, await self._warm.enter_async_context(open_executors())

    async def _why_not(self, forks: Forks) -> str | None:
        if sys.platform != "linux":
            return "forking is safe on Linux only."
        try:
            await self._warm.enter_async_context(forks)
        except ZygoteError as error:
            return f"{error}."
        if found := ", ".join(forks.zygote.threads):
            return f"what is imported ahead has started threads, which a fork would lack ({found}); {PRELOAD} names what is."
        return None

    async def _poll_when_woken(self) -> None:
        """Poll when a run was scheduled, or when one ended; the base class polls on its own besides."""
        while self._work_pool is None:
            await asyncio.sleep(_LEAST_PAUSE)
        listening = asyncio.create_task(wake_when_scheduled(self.work_pool.id, self._wake))
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    await self.get_and_submit_flow_runs()
                except Exception:
                    self._logger.exception("A poll for flow runs failed; the next one follows.")
                await asyncio.sleep(_LEAST_PAUSE)
        finally:
            listening.cancel()

    def _explain(self, flow_run: FlowRun, run: ForkedRun, lines: deque[str]) -> None:
        """Say in a flow run's logs what a process that was killed can't say itself."""
        if run.returncode is None or run.returncode >= 0:
            return
        name = signal.Signals(-run.returncode).name
        said = "\n".join(lines) or "(nothing)"
        self.get_flow_run_logger(flow_run).error("Its process was ended by %s. Its last output:\n%s", name, said)


def _has_own_command(configuration: ProcessJobConfiguration) -> bool:
    return bool(configuration.command) and "prefect.engine" not in str(configuration.command)


def _libraries() -> list[str]:
    named = os.environ.get(PRELOAD)
    return find_libraries(Path.cwd()) if named is None else [name.strip() for name in named.split(",") if name.strip()]


@contextlib.contextmanager
def _directory(configuration: ProcessJobConfiguration) -> Iterator[Path]:
    if configuration.working_dir:
        yield Path(configuration.working_dir)
        return
    with tempfile.TemporaryDirectory(suffix="prefect") as path:
        yield Path(path)
