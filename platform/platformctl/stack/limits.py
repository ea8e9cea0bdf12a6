"""What a service may use of the machine, from what its table of platform.toml says."""

from platformctl.model.service import Limits
from platformctl.model.spec import Database, Pool, Server
from platformctl.model.texts import mebibytes


def limits_of(table: Server | Database | Pool, *, shared_memory: str = "") -> Limits:
    """Return the limits of what a table describes. What is full is then full for who fills it, and ends nobody else."""
    wanted = table.tmp if isinstance(table, Pool) else None
    temporary = wanted or f"{mebibytes(table.memory) // 4}m"
    return Limits(table.memory, temporary, table.cpus, shared_memory=shared_memory)
