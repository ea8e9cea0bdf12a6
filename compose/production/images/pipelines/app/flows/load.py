"""A nightly load: extract, transform, load, with retries where the outside world is involved."""

import os

import humanize
from prefect import flow, get_run_logger, task


@task(retries=3, retry_delay_seconds=10)
def extract(table: str) -> list[int]:
    """Return the rows of a table."""
    return list(range(100 * len(table)))


@task
def transform(rows: list[int]) -> list[int]:
    """Return the rows worth keeping."""
    return [row for row in rows if row % 3]


@task(retries=3, retry_delay_seconds=10)
def load(rows: list[int], schema: str) -> int:
    """Write rows to a schema and return how many."""
    get_run_logger().info("%s rows into %s", humanize.intcomma(len(rows)), schema)
    return len(rows)


@flow
def nightly_load(table: str = "orders") -> int:
    """Bring a table to the warehouse."""
    return load(transform(extract(table)), os.environ.get("WAREHOUSE_SCHEMA", "scratch"))
