"""What the server says of a pool's flow runs as it happens: that one was scheduled, is to be cancelled, or was suspended.

Prefect's own observer of cancellations gives up after an outage of some seconds, for good; this one connects again.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.logging import get_logger

_CANCELLING = "prefect.flow-run.Cancelling"
_SUSPENDED = "prefect.flow-run.Suspended"
_SCHEDULED = ["prefect.flow-run.Scheduled", "prefect.flow-run.AwaitingRetry", "prefect.flow-run.Resuming"]
_PAUSE = 10.0
"""Seconds until another attempt to listen; meanwhile polls find what there is."""


class Listener:
    """Listens to the events of a pool's flow runs."""

    def __init__(
        self, wake: asyncio.Event, cancel: Callable[[UUID], None], suspend: Callable[[Event | None], None]
    ) -> None:
        """wake: set when a run was scheduled. cancel: called with a run that is to be cancelled.

        suspend: called with the event that a run was suspended, and with None when one may have been missed.
        """
        self._wake, self._cancel, self._suspend = wake, cancel, suspend
        self.is_connected = False
        self.has_heard = True
        """Whether anything may have happened since somebody set this to False."""

    async def listen(self, pool: UUID) -> None:
        """Listen, and connect again when the server was away; never returns."""
        logger = get_logger("warm_worker")
        wanted = EventFilter(
            event=EventNameFilter(name=[*_SCHEDULED, _CANCELLING, _SUSPENDED]),
            any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool}"]),
        )
        while True:
            try:
                async with get_events_subscriber(filter=wanted) as events:
                    self.is_connected = True
                    self.has_heard = True
                    self._wake.set()  # for what was scheduled before
                    self._suspend(None)
                    async for event in events:
                        self._note(event)
            except Exception as error:  # noqa: BLE001  # what is missed is found by the next poll
                logger.debug("Not listening for events of flow runs: %s", error)
            self.is_connected = False
            self._suspend(None)
            await asyncio.sleep(_PAUSE)

    def _note(self, event: Event) -> None:
        self.has_heard = True
        if event.event == _CANCELLING:
            self._cancel(UUID(event.resource.id.removeprefix("prefect.flow-run.")))
        elif event.event == _SUSPENDED:
            self._suspend(event)
        else:
            self._wake.set()
