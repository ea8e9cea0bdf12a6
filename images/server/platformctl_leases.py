"""Where Prefect's server keeps the leases of concurrency limits: in files, so that they outlive it.

Who holds a slot renews its lease every few minutes, and is ended where the lease is gone. Prefect takes away what has expired as
soon as the server starts: whoever couldn't renew while it was away would lose its slot just then. Here leases expire only
while the server has been there for long enough to be asked.
"""

import os
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from platformctl_outages import ask_clients_to_wait
from prefect.server.concurrency.lease_storage import ConcurrencyLimitLeaseMetadata, filesystem
from prefect.server.database import provide_database_interface
from prefect.server.models.concurrency_limits_v2 import read_all_concurrency_limits
from prefect.server.utilities.leasing import ResourceLease

FOLDER = "PLATFORMCTL_LEASES"
"""The variable that names the folder."""
LOOKED_EVERY = 15.0
"""Seconds between two looks at what has expired, as Prefect's server has them."""
GRACE = 60.0
"""Seconds that holders get to renew, who ask again every quarter of a minute."""
_MOST = 10_000
"""Limits."""


class Presence:
    """Whether the server has been there, without a gap, for as long as leases need: it may have been stopped, or paused."""

    def __init__(self) -> None:
        self._looked = self._since = float("-inf")
        self._unheld: dict[UUID, int] | None = None

    def look(self, now: float) -> bool:
        """Note that the server is there, and return whether it has been for long enough. now: seconds."""
        if now - self._looked > 3 * LOOKED_EVERY:
            self._since, self._unheld = now, None
        self._looked = now
        return now - self._since > GRACE

    def note(self, unheld: dict[UUID, int]) -> None:
        """Note the slots that no lease holds, by limit: one that is taken just now gets its lease a moment later."""
        before = unheld if self._unheld is None else self._unheld
        self._unheld = {limit: min(slots, before[limit]) for limit, slots in unheld.items() if limit in before}

    def take_leaked(self) -> dict[UUID, int]:
        """Return once, by limit, the slots that nothing held at any look since the server is back."""
        leaked, self._unheld = self._unheld or {}, {}
        return leaked


_presence = Presence()
ask_clients_to_wait()  # this is what Prefect imports of ours, as soon as the server starts


class ConcurrencyLeaseStorage(filesystem.ConcurrencyLeaseStorage):
    """Prefect's storage in files, whose leases the server's absence doesn't end."""

    def __init__(self) -> None:
        super().__init__(os.environ[FOLDER])

    async def read_expired_lease_ids(self, limit: int = 100) -> list[UUID]:
        """Return at most so many of the leases that have expired: by their own files, since the index before Prefect 3.8 lags.

        Slots that were taken without a lease that is still there are given one that has expired, and so are freed with the others.
        """
        if not _presence.look(time.monotonic()):
            _presence.note(await self._read_unheld())
            return []
        for id_, slots in _presence.take_leaked().items():
            await self.create_lease([id_], timedelta(0), ConcurrencyLimitLeaseMetadata(slots=slots))
        now = datetime.now(UTC)
        return [lease.id for lease in await self._read_leases() if lease.expiration <= now][:limit]

    async def _read_leases(self) -> list[ResourceLease[ConcurrencyLimitLeaseMetadata]]:
        found = [await self.read_lease(UUID(file.stem)) for file in self.storage_path.glob("????????-*.json")]
        return [lease for lease in found if lease is not None]

    async def _read_unheld(self) -> dict[UUID, int]:
        """Return, by limit, how many slots more are taken than leases hold; where slots come back by themselves none are."""
        async with provide_database_interface().session_context() as session:
            limits = await read_all_concurrency_limits(session=session, limit=_MOST, offset=0)
        held = Counter[UUID]()
        for lease in await self._read_leases():
            held.update(dict.fromkeys(lease.resource_ids, lease.metadata.slots if lease.metadata else 0))
        taken = {limit.id: limit.active_slots for limit in limits if not limit.slot_decay_per_second}
        return {id_: slots - held[id_] for id_, slots in taken.items() if slots > held[id_]}
