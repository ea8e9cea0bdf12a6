"""What local processes wrote: their log files, which the supervisor rotates."""

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

_PAUSE = 0.3
"""Seconds between two looks at files that are followed."""


def last_lines(file: Path, count: int = 15) -> str:
    """Return the last lines of a log; empty where there is none."""
    return "\n".join(_tail(file, count))


def read_logs(files: Mapping[str, Path], *, follow: bool, tail: int | None) -> Iterator[str]:
    """Yield the lines of logs, each behind its name. tail: how many of each at most."""
    width = max(map(len, files), default=0)
    with ExitStack() as stack:
        followed = {name: stack.enter_context(_Followed(file)) for name, file in files.items()}
        for name, file in files.items():
            yield from (f"{name:<{width}} | {line}" for line in _tail(file, tail))
        while follow:
            for name, log in followed.items():
                yield from (f"{name:<{width}} | {line}" for line in log.new_lines())
            time.sleep(_PAUSE)


class _Followed:
    """A log from its present end on, over rotations."""

    def __init__(self, file: Path) -> None:
        self._file, self._part = file, b""
        self._open: BufferedReader | None = None

    def __enter__(self) -> "_Followed":
        if self._file.exists():
            self._open = self._file.open("rb")
            self._open.seek(0, 2)
        return self

    def __exit__(self, *_: object) -> None:
        if self._open:
            self._open.close()

    def new_lines(self) -> Iterator[str]:
        """Yield the lines that were written since; one that isn't ended yet waits."""
        yield from self._read()
        if self._file.exists() and (
            self._open is None or self._file.stat().st_ino != os.fstat(self._open.fileno()).st_ino
        ):
            self.__exit__()
            self._open = self._file.open("rb")
            yield from self._read()

    def _read(self) -> Iterator[str]:
        *lines, self._part = (self._part + (self._open.read() if self._open else b"")).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)


def _tail(file: Path, count: int | None) -> list[str]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]
