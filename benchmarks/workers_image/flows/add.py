"""The least that a flow can do."""

from prefect import flow


@flow
def add(left: int = 1, right: int = 2) -> int:
    """Add two numbers."""
    return left + right
