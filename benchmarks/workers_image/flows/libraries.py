"""A flow with libraries that start threads when they are imported, or while they compute."""

import duckdb  # type: ignore[import-not-found]  # these are in the image only
import pandas as pd  # type: ignore[import-untyped]  # as above
import polars as pl  # type: ignore[import-not-found]  # as above
import pyarrow as pa  # type: ignore[import-not-found]  # as above
from prefect import flow
from sklearn.linear_model import LinearRegression  # type: ignore[import-not-found]  # as above


@flow
def learn(rows: int = 1000) -> int:
    """Sum a column with each, and fit a line."""
    frame = pd.DataFrame({"number": range(rows)})
    table = pa.Table.from_pandas(frame)
    LinearRegression().fit(frame, frame["number"])
    found = duckdb.sql("select sum(number) from frame").fetchall()
    return int(pl.from_arrow(table)["number"].sum()) + int(found[0][0])
