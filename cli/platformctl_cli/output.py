"""The choice that every reading command gives."""

from enum import StrEnum
from typing import Annotated, Literal

import typer


class Format(StrEnum):
    """How a command that reads prints what it found."""

    TABLE = "table"
    JSON = "json"


Runtime = Literal["docker", "local"]
"""A runtime that can be asked about; typer offers the two."""
Output = Annotated[Format, typer.Option("-o", "--output", help="How to print it.")]
