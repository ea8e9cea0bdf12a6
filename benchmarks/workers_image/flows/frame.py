"""A flow with a library that takes long to import."""

import pandas as pd  # type: ignore[import-untyped]  # it is in the image only
from prefect import flow


@flow
def total(rows: int = 1000) -> int:
    """Sum a column."""
    return int(pd.DataFrame({"number": range(rows)})["number"].sum())
