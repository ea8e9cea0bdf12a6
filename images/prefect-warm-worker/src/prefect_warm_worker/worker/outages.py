"""Prefect's process worker, made patient: an outage of the server ends neither it nor its runs, and it knows whether it polls."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import httpx
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse

from prefect_warm_worker._prefect.process_worker import OpenProcessWorker
from prefect_warm_worker.contract import POLL_SECONDS
from prefect_warm_worker.worker.contention import Contention
from prefect_warm_worker.worker.in_flight import InFlight
from prefect_warm_worker.worker.stop import Stop

_MISSED_POLLS = 2.5
"""Polls that the server must have left without an answer for a worker not to be healthy."""
_STEADY = 30.0
"""Seconds that the server must have answered before other workers are judged: after an outage all are silent for a while."""
_LONGEST_ANSWER: float = 200
"""Flow runs: Prefect's server sends no more at once, and refuses to be asked for more; it can be set to less."""
_SILENCE = _MISSED_POLLS * POLL_SECONDS
"""Seconds until a poll without an answer is told."""
LEAST_PAUSE = 0.1
"""Seconds between two polls, however many runs are scheduled or end."""
_OUTAGE_PAUSE = 5.0
"""Seconds between two attempts to tell a server that doesn't answer that the worker is there."""


class OutageTolerantWorker(OpenProcessWorker):
    """What makes a process worker poll until it is told to stop, however long the server is away."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as the base class has them
        super().__init__(*args, **kwargs)
        self._stop = Stop()
        self._in_flight = InFlight(self.submitting)
        self._contention = Contention()
        self._wake = asyncio.Event()
        self._polled: float | None = None
        self._steady_since: float | None = None
        self._longest_answer = _LONGEST_ANSWER
        self._may_have_left = False
        """Whether the pool may have runs for which there was no room."""

    @property
    def is_steady(self) -> bool:
        """Whether the server has answered for so long that what it says of other workers can be trusted."""
        return self._steady_since is not None and time.monotonic() - self._steady_since > _STEADY

    async def sync_with_backend(self) -> None:
        """Tell the server that this worker is there; while it doesn't answer the runs in flight are no worse for it."""
        while True:
            try:
                await super().sync_with_backend()
            except httpx.HTTPError as error:
                if not _is_passing(error):
                    raise
                self._miss(error)
            else:
                return
            await asyncio.sleep(_OUTAGE_PAUSE)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Poll, unless told to stop; a server that doesn't answer is asked again."""
        if self._stop.asked.is_set():
            return []
        try:
            found = await super().get_and_submit_flow_runs()
        except httpx.HTTPError as error:
            if not _is_passing(error):
                raise
            self._miss(error)
            return []
        return found

    async def _poll_when_woken(self) -> None:
        """Poll when a run was scheduled, or when one ended; the base class polls on its own besides."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self.has_room:
                self._may_have_left = True  # so the end of a run wakes it again
                continue
            try:
                await self.get_and_submit_flow_runs()
            except Exception:
                self.log.exception("A poll for flow runs failed; the next one follows.")
            await asyncio.sleep(LEAST_PAUSE)

    async def find_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Ask for no more runs than it takes, and note that the server answered.

        Prefect's own worker is sent the whole queue at each poll. An answer may name runs that were begun since.
        """
        with self._noticing_silence():
            found = await self._ask_for_runs()
        self._polled = time.monotonic()
        self._steady_since = self._steady_since or self._polled
        if self._stop.asked.is_set():
            return []
        return self._contention.spread([response for response in found if response.flow_run.id not in self._in_flight])

    async def _ask_for_runs(self) -> list[WorkerFlowRunResponse]:
        room = self._room()
        asked = room + self._contention.spare
        limit = int(asked) if asked <= self._longest_answer else None
        try:
            answer = await self.ask_for_flow_runs(limit)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.UNPROCESSABLE_ENTITY and limit is not None:
                self._longest_answer = asked - 1
                return await self._ask_for_runs()
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            return []  # a pool that isn't there yet is made at the next heartbeat
        found = [WorkerFlowRunResponse.model_validate(item) for item in answer.json()]
        self._may_have_left = len(found) > room or len(found) == asked or (bool(found) and limit is None)
        return found

    def _room(self) -> float:
        """Return how many flow runs may begin, with those that are about to: the server still calls them scheduled."""
        return max(1, self.free_slots + len(self.submitting))

    async def take_flow_run(self, flow_run: FlowRun) -> bool:
        """Take a flow run, unless another worker has, and note which."""
        is_taken = await super().take_flow_run(flow_run)
        self._contention.note(is_taken=is_taken)
        return is_taken

    @property
    def has_room(self) -> bool:
        """Whether another run may begin."""
        return self.free_slots > 0

    def is_worker_still_polling(self, query_interval_seconds: float) -> bool:
        """Whether the server has answered a poll of late, or needn't be polled any more."""
        if self._stop.asked.is_set():
            return True
        silence = _MISSED_POLLS * max(POLL_SECONDS, query_interval_seconds)
        return self._polled is not None and time.monotonic() - self._polled < silence

    @contextlib.contextmanager
    def _noticing_silence(self) -> Iterator[None]:
        """Note it if the body takes long: the client asks again and again, so that no error tells of an outage."""
        told = f"no answer for {_SILENCE:g} s"
        notice = asyncio.get_running_loop().call_later(_SILENCE, self._miss, told)
        try:
            yield
        finally:
            notice.cancel()

    def _miss(self, error: httpx.HTTPError | str) -> None:
        """Note that the server didn't answer."""
        if self._steady_since is not None:
            self.log.warning("The server doesn't answer: %s. Flow runs go on; it is asked again.", error or type(error))
        self._steady_since = None


def _is_passing(error: httpx.HTTPError) -> bool:
    """Whether an error says that the server doesn't answer now, and not that it refuses."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
    return isinstance(error, httpx.TransportError)
