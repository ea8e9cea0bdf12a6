"""One connection for all events of a run: Prefect opens one for each of its pull steps, and then another one for its engine."""

import asyncio
import importlib
import time
from typing import Any

from prefect.events import Event
from prefect.events.worker import EventsWorker

_LONGEST = 10.0
"""Seconds that a pull step waits at most until its event is sent; it is sent all the same afterwards."""
_PAUSE = 0.002


def share_connection() -> None:
    """Have the pull steps of this process and its forks send their events as its engine does."""
    steps: Any = importlib.import_module("prefect.deployments.steps.core")
    steps.get_events_client = lambda **_: _Client()


class _Client:
    """What a pull step sends its event with."""

    async def __aenter__(self) -> "_Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def emit(self, event: Event) -> None:
        """Send an event, and wait until it is on its way; raises ConnectionError where it can't be."""
        worker: Any = EventsWorker.instance()
        worker.send(event)
        ends = time.monotonic() + _LONGEST
        while worker._queue.unfinished_tasks and time.monotonic() < ends:
            if worker._stopped:
                raise ConnectionError("the server takes no events")
            await asyncio.sleep(_PAUSE)
