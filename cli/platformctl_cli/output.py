"""The choice that every reading command gives."""

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How a command that reads prints what it found."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("-o", "--output", help="How to print it.")]
