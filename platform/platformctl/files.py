"""Writing files so that a reader never sees a part of one, and reading those that somebody writes by hand."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from platformctl.errors import FileError

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PIECE = 2**20
STATE_FOLDER = ".platform"
"""The folder beside platform.toml that belongs to platformctl."""
SMALL = 4 * 2**20
"""The most bytes of a file that somebody writes by hand."""


def is_one_line(text: str) -> bool:
    """Whether a text is of printable characters: no end of a line, no other control, no half of a character."""
    return not _UNPRINTABLE.search(text)


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """Make a folder, and those above it, with permissions that no umask changes.

    `.platform` is always closed to other users of the host, and tells git to leave it alone: it holds secrets.
    """
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(mode)
    closed = next((path for path in (folder, *folder.parents) if path.name == STATE_FOLDER), None)
    if closed and not closed.is_symlink() and stat.S_IMODE(closed.stat().st_mode) != 0o700:
        closed.chmod(0o700)
    if closed and not (closed / ".gitignore").exists():
        replace_file(closed / ".gitignore", "*\n")


def is_file(path: Path) -> bool:
    """Whether there is a file at a path; a name that no file can have is no error."""
    return os.path.isfile(path)  # noqa: PTH113  # pathlib raises OSError for a long name


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path, as `is_file`."""
    return os.path.isdir(path)  # noqa: PTH112  # as above


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
        raise ValueError(f"it has {status.st_size // 2**20} MiB, expected less than {SMALL // 2**20}")
    return file.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is read in pieces wherever its content is wanted. size: bytes. changed: when, in nanoseconds."""

    file: Path
    size: int
    changed: int


Content = bytes | Source


def source_of(file: Path) -> Source:
    """Return a file as it is now; raises OSError where it isn't there."""
    status = file.stat()
    return Source(file, status.st_size, status.st_mtime_ns)


def pieces(content: Content) -> Iterator[bytes]:
    """Yield a content piece by piece; raises FileError for a source that is no longer what it was."""
    if isinstance(content, bytes):
        yield content
        return
    with content.file.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")
    if source_of(content.file) != content:
        raise FileError(f"{content.file} was changed while it was read.", remedy="Type the same command again.")


def digest_of_files(files: Mapping[str, Content]) -> str:
    """Return the SHA-256 of files, path to content, in hexadecimal digits."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items(), key=lambda item: item[0]):
        digest.update(f"{path}\0{len(content) if isinstance(content, bytes) else content.size}\0".encode())
        for piece in pieces(content):
            digest.update(piece)
    return digest.hexdigest()


def holds(file: Path, content: Content) -> bool:
    """Whether a file is there with a content."""
    if not file.is_file():
        return False
    with file.open("rb") as found:
        return all(found.read(len(piece)) == piece for piece in pieces(content)) and not found.read(1)


def replace_file(file: Path, content: str | Content, mode: int | None = None) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    mode: permissions; where it is None they stay as they were, 0644 for a new file.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with temporary.open("wb") as written:
        written.writelines(pieces(content.encode() if isinstance(content, str) else content))
    temporary.chmod(mode if mode is not None else file.stat().st_mode if file.exists() else 0o644)
    temporary.replace(file)
