"""Writing files so that a reader never sees a part of one."""

import os
from pathlib import Path


def replace_file(file: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    mode: permissions; where it is None they stay as they were, 0644 for a new file.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.chmod(mode if mode is not None else file.stat().st_mode if file.exists() else 0o644)
    temporary.replace(file)
