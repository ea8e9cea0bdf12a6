"""Learning of a flow run when it is scheduled, instead of at the next poll: the server says so to who listens."""

import asyncio
from uuid import UUID

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.logging import get_logger

_EVENTS = ["prefect.flow-run.Scheduled", "prefect.flow-run.AwaitingRetry", "prefect.flow-run.Resuming"]
_PAUSE = 10.0
"""Seconds until another attempt to listen; meanwhile the worker's own polls find what there is."""


async def wake_when_scheduled(pool: UUID, wake: asyncio.Event) -> None:
    """Set an event each time a flow run of a work pool is scheduled; never returns."""
    logger = get_logger("warm_worker")
    wanted = EventFilter(
        event=EventNameFilter(name=_EVENTS), any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool}"])
    )
    while True:
        try:
            async with get_events_subscriber(filter=wanted) as events:
                async for _ in events:
                    wake.set()
        except Exception as error:  # noqa: BLE001  # what is missed is found by the next poll
            logger.debug("Not listening for scheduled flow runs: %s", error)
        await asyncio.sleep(_PAUSE)
