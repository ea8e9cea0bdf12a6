"""A first flow: two tasks and a log line."""

import humanize
from prefect import flow, get_run_logger, task


@task
def count_rows(source: str) -> int:
    """Return how many rows a source has."""
    return 1000 * len(source)


@task
def describe(rows: int) -> str:
    """Return the number of rows in words."""
    return humanize.intword(rows)


@flow
def hello(source: str = "warehouse") -> str:
    """Count the rows of a source, and say how many there are."""
    rows = describe(count_rows(source))
    get_run_logger().info("%s has %s rows", source, rows)
    return rows
