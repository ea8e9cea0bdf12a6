"""Waiting for a condition, with a limit, and with what was seen last when the limit is reached."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(check: Callable[[], T | None], *, seconds: float, pause: float = 0.2) -> T | None:
    """Call check each `pause` seconds until it returns something; None where it hasn't within `seconds`."""
    import tenacity  # noqa: PLC0415  # it loads asyncio, which a command that waits for nothing needn't

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda result: result is None),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(pause),
        retry_error_callback=lambda state: None,  # noqa: ARG005  # the limit is an answer here, not an error
    )
    return retrying(check)
