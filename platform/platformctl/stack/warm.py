"""What a worker is told of its pool's settings, whatever runs it."""

from platformctl.model.spec import Pool
from prefect_warm_worker.contract import POLL_SECONDS, STOP_MARGIN_SECONDS, Variable


def warm_environment(pool: Pool, folder: str | None) -> dict[str, str]:
    """Return the environment variables of a pool's workers, fewer where they aren't warm. folder: of runs' own ones."""
    if pool.type != "warm":
        return {Variable.ON_STOP.value: pool.on_stop}
    told = {
        Variable.GRACE: pool.grace,
        Variable.ON_STOP: pool.on_stop,
        Variable.RUN_MEMORY: pool.run_memory,
        Variable.RUN_SECONDS: pool.run_seconds,
        Variable.FOLDER: folder,
        Variable.PRELOAD: None if pool.preload is None else ",".join(pool.preload),
    }
    polls = {"PREFECT_WORKER_QUERY_SECONDS": str(POLL_SECONDS)}
    return polls | {variable.value: str(value) for variable, value in told.items() if value is not None}


def drains(pool: Pool) -> bool:
    """Whether a pool's workers let their flow runs finish when they are told to stop."""
    return pool.type == "warm"


def stop_seconds(pool: Pool) -> int:
    """Return after how many seconds a worker that was told to stop is killed: one that drains uses all of its runs' grace."""
    return pool.grace + (STOP_MARGIN_SECONDS if drains(pool) else 0)
