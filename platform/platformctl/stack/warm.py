"""What a warm worker is told of its pool's settings, whatever runs it."""

from platformctl.model.spec import Pool

STOP_MARGIN = 45
"""Seconds that a warm worker gets beyond its flow runs' grace: those that it cancels get 30 to end, and then it ends itself."""
_PREFIX = "PREFECT_WARM_WORKER_"
_POLLS = {"PREFECT_WORKER_QUERY_SECONDS": "10"}
"""It hears of runs by events: its polls only find what it has missed."""


def warm_environment(pool: Pool) -> dict[str, str]:
    """Return the environment variables of a pool's warm workers; none for workers of another type."""
    if pool.type != "warm":
        return {}
    told = {
        "GRACE": pool.grace,
        "ON_STOP": pool.on_stop,
        "RUN_MEMORY": pool.run_memory,
        "RUN_SECONDS": pool.run_seconds,
    }
    told["PRELOAD"] = None if pool.preload is None else ",".join(pool.preload)
    return _POLLS | {f"{_PREFIX}{name}": str(value) for name, value in told.items() if value is not None}


def drains(pool: Pool) -> bool:
    """Whether a pool's workers let their flow runs finish when they are told to stop."""
    return pool.type == "warm"


def stop_seconds(pool: Pool) -> int:
    """Return after how many seconds a worker that was told to stop is killed: one that drains uses all of its runs' grace."""
    return pool.grace + (STOP_MARGIN if drains(pool) else 0)
