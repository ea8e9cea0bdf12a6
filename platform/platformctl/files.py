"""Writing files so that a reader never sees a part of one, and reading those that somebody writes by hand."""

import errno
import os
import stat
from pathlib import Path

SMALL = 4 * 2**20
"""The most bytes of a file that somebody writes by hand."""


def read_small_text(file: Path) -> str:
    """Return the text of a file in UTF-8; raises OSError, and ValueError for what isn't a text that is written by hand.

    A pipe is refused rather than waited for, and a large file isn't read.
    """
    status = file.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size > SMALL:
        raise ValueError(
            f"it has {status.st_size // 2**20} MiB, and a file written by hand has less than {SMALL // 2**20}"
        )
    return file.read_text(encoding="utf-8")


def replace_file(file: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    mode: permissions; where it is None they stay as they were, 0644 for a new file.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.chmod(mode if mode is not None else file.stat().st_mode if file.exists() else 0o644)
    temporary.replace(file)
