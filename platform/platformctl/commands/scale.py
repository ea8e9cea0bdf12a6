"""`scale`: how many workers pools have. It is written to platform.toml; `up` does the rest."""

import re
from collections.abc import Mapping, Sequence

from platformctl.commands.change import Edits
from platformctl.errors import UsageError
from platformctl.model.spec import KeyPath, Value
from platformctl.spec.load import Project
from platformctl.spec.problems import unknown_name


def worker_edits(workers: Mapping[str | None, int]) -> Edits:
    """Return the edits that set how many workers pools have; None stands for the only pool there is.

    The edits raise UsageError for a pool that isn't there, for None where there are several, and for absurd numbers.
    """

    def edits(project: Project) -> Mapping[KeyPath, Value]:
        return {("pools", _pool(project, pool), "workers"): count for pool, count in workers.items()}

    return edits


def _pool(project: Project, pool: str | None) -> str:
    pools = list(project.spec.pools)
    if pool is None and len(pools) == 1:
        return pools[0]
    if not pools:
        raise UsageError(f"There are no pools in {project.file}.", remedy="Type `platformctl pools create NAME`.")
    if pool is None:
        remedy = f"Name the one to scale, such as {pools[0]}=4."
        raise UsageError(f"There are {len(pools)} pools: {', '.join(pools)}.", remedy=remedy)
    if pool not in pools:
        remedy = f"Type `platformctl pools create {pool}` to add it."
        raise unknown_name(f"There is no pool {pool!r} in {project.file.name}", pool, pools, remedy=remedy)
    return pool


def parse_workers(words: Sequence[str]) -> dict[str | None, int]:
    """Read words such as `4` and `prod=4`; None stands for the only pool. Raises UsageError for anything else."""
    workers: dict[str | None, int] = {}
    for word in words:
        pool, found, count = word.rpartition("=")
        if not re.fullmatch(r"[0-9]{1,9}", count) or (found and not pool):
            remedy = "Write POOL=N with a whole number, such as prod=4."
            raise UsageError(f"{word!r} is not a number of workers.", remedy=remedy)
        workers[pool or None] = int(count)
    return workers
