"""The flow runs that a worker has taken and not ended, and how they end when it stops before they are through."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.logging import get_logger
from prefect.logging.loggers import flow_run_logger
from prefect.states import Cancelling

from prefect_warm_worker.contract import CANCELLATION_SECONDS, decide_lost_run
from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.worker.lost import LostRuns, is_unfinished
from prefect_warm_worker.worker.once import settle_once

_LOOK_EVERY = 0.1


class InFlight:
    """Flow runs by id, each with its process once it has one."""

    def __init__(self, submitting: set[UUID]) -> None:
        """submitting: the ones that the worker is about to begin, as Prefect keeps them."""
        self._submitting = submitting
        self._runs: dict[UUID, ForkedRun | None] = {}

    def __contains__(self, flow_run: object) -> bool:
        return flow_run in self._runs

    def ids(self) -> set[UUID]:
        """Return all of them."""
        return self._submitting | set(self._runs)

    @contextlib.contextmanager
    def holding(self, flow_run: UUID) -> Iterator[None]:
        """Hold a flow run within the body."""
        self._runs[flow_run] = None
        try:
            yield
        finally:
            del self._runs[flow_run]

    def note(self, flow_run: UUID, run: ForkedRun) -> None:
        """Note the process of a flow run."""
        self._runs[flow_run] = run

    def process_of(self, flow_run: UUID) -> ForkedRun | None:
        """Return the process of a flow run, if it has one yet."""
        return self._runs.get(flow_run)

    def begun(self) -> Iterable[tuple[UUID, ForkedRun | None]]:
        """Return those that are more than about to begin."""
        return list(self._runs.items())

    async def are_through(self, seconds: float, until: asyncio.Event | None = None) -> bool:
        """Wait until there is none, for a time, or until an event."""
        ends = time.monotonic() + seconds
        while self.ids():
            if time.monotonic() > ends or (until is not None and until.is_set()):
                return False
            await asyncio.sleep(_LOOK_EVERY)
        return True


class Ending:
    """Ends the flow runs that the grace period was too short for."""

    def __init__(self, client: PrefectClient, lost_runs: LostRuns, why: str) -> None:
        """why: what the flow runs' states say, a clause."""
        self._client, self._lost_runs, self._why = client, lost_runs, why
        self._logger = get_logger("warm_worker")

    async def end(self, in_flight: InFlight, *, is_rescheduled: bool) -> None:
        """Cancel them, or hand them back to be scheduled again. What outlasts that is killed with its worker."""
        end = self._hand_back if is_rescheduled else self._cancel
        ended = asyncio.gather(*(end(flow_run, run) for flow_run, run in in_flight.begun()), return_exceptions=True)
        try:
            errors = await asyncio.wait_for(ended, CANCELLATION_SECONDS)
        except asyncio.TimeoutError:  # noqa: UP041  # its own class up to Python 3.10
            self._logger.error("The states of flow runs could not be set: the server doesn't answer.")
            return
        for error in errors:
            if isinstance(error, BaseException):
                self._logger.error("The state of a flow run could not be set: %s", error)
        await in_flight.are_through(CANCELLATION_SECONDS)

    async def _cancel(self, flow_run: UUID, _: ForkedRun | None) -> None:
        """Ask for it as a user would: Prefect's own executor of the run does the rest."""
        flow_run_logger(await self._client.read_flow_run(flow_run)).warning("%s: it is cancelled.", self._why)
        await self._client.set_flow_run_state(flow_run, Cancelling(message=f"{self._why}."))

    async def _hand_back(self, flow_run: UUID, run: ForkedRun | None) -> None:
        if run is None:
            await self._cancel(flow_run, run)
            return
        run.kill(self._why, is_handed_back=True)
        await run.ended.wait()
        found = await self._client.read_flow_run(flow_run)
        if not is_unfinished(found):
            return
        outcome = decide_lost_run(found.state_type or "", "reschedule")
        if await settle_once(self._client, found, outcome, f"{self._why} before the flow run was through."):
            await self._lost_runs.crash_subflows(flow_run)
