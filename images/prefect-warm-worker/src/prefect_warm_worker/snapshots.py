"""Whether files have changed: those that a zygote has imported, and those that settings come from."""

from collections.abc import Iterable
from pathlib import Path

Snapshot = frozenset[tuple[Path, int]]
"""Files with the time of their last change."""


def take_snapshot(paths: Iterable[Path]) -> Snapshot:
    """Return what tells whether one of some files or folders has changed."""
    return frozenset((path, changed_at(path)) for path in paths)


def changed_at(path: Path) -> int:
    """Return when a file was changed last, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
