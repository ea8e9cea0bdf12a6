"""The type of the check that golden tests use."""

from collections.abc import Callable
from pathlib import Path

Golden = Callable[[Path, bytes], None]
