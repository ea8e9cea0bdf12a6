"""Flows that hold slots of limits."""

import time
from pathlib import Path

from prefect import flow, task
from prefect.concurrency.sync import concurrency
from prefect.logging import get_run_logger


@flow
def share(told: str, name: str) -> None:
    """Hold a slot of a global limit and one of a tag's."""
    with concurrency(name, occupy=1):
        get_run_logger().info("holding a slot")
        hold(told)


@task(tags=["narrow"])
def hold(told: str) -> None:
    """Note when this began and ended."""
    begin = time.monotonic()
    time.sleep(0.3)
    with Path(told, "held").open("a", encoding="utf-8") as file:
        file.write(f"{begin} {time.monotonic()}\n")
