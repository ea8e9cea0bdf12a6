"""A flow that is there and does nothing."""

import time

from prefect import flow


@flow
def wait(seconds: float = 60) -> None:
    """Wait."""
    time.sleep(seconds)
