"""Where Prefect's server keeps the leases of concurrency limits: in files, so that they outlive it.

Who holds a slot renews its lease every few minutes, and is ended where the lease is gone. Prefect takes away what has expired as
soon as the server starts: whoever couldn't renew while it was away would lose its slot just then. Here leases expire only
while the server has been there for long enough to be asked.
"""

import os
import time
from datetime import UTC, datetime
from uuid import UUID

from prefect.server.concurrency.lease_storage import filesystem

FOLDER = "PLATFORMCTL_LEASES"
"""The variable that names the folder."""
LOOKED_EVERY = 15.0
"""Seconds between two looks at what has expired, as Prefect's server has them."""
GRACE = 60.0
"""Seconds that holders get to renew, who ask again every quarter of a minute."""


class Presence:
    """Whether the server has been there, without a gap, for as long as leases need: it may have been stopped, or paused."""

    def __init__(self) -> None:
        self._looked = self._since = float("-inf")

    def look(self, now: float) -> bool:
        """Note that the server is there, and return whether it has been for long enough. now: seconds."""
        if now - self._looked > 3 * LOOKED_EVERY:
            self._since = now
        self._looked = now
        return now - self._since > GRACE


_presence = Presence()


class ConcurrencyLeaseStorage(filesystem.ConcurrencyLeaseStorage):
    """Prefect's storage in files, whose leases the server's absence doesn't end."""

    def __init__(self) -> None:
        super().__init__(os.environ[FOLDER])

    async def read_expired_lease_ids(self, limit: int = 100) -> list[UUID]:
        """Return at most so many of the leases that have expired: by their own files, since the index before Prefect 3.8 lags."""
        if not _presence.look(time.monotonic()):
            return []
        ids = [UUID(file.stem) for file in self.storage_path.glob("????????-*.json")]
        leases = [await self.read_lease(each) for each in ids]
        now = datetime.now(UTC)
        return [lease.id for lease in leases if lease is not None and lease.expiration < now][:limit]
