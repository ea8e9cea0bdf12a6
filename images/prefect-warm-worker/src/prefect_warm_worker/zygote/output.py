"""A run's output that may be lost: its worker reads it, and one that was killed takes no run along.

A write that nobody reads would otherwise end a flow at its next line of log: rich, which Prefect logs with, then ends the process.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterator


class _Output(io.FileIO):
    """Where a write that nobody reads is no error."""

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]  # any buffer
        """Write, or have it lost."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def outlive_reader() -> None:
    """Replace the interpreter's own output, with the buffers, the encoding and the names that it has."""
    for name in ("stdout", "stderr"):
        former: io.TextIOWrapper = getattr(sys, name)
        output = _Output(former.fileno(), "w", closefd=False)
        vars(output)["name"] = former.name
        text = io.TextIOWrapper(
            output if former.write_through else io.BufferedWriter(output),  # type: ignore[type-var]  # as the interpreter does
            former.encoding,
            former.errors,
            line_buffering=former.line_buffering,
            write_through=former.write_through,
        )
        vars(text)["mode"] = former.mode
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


@contextlib.contextmanager
def without_output() -> Iterator[None]:
    """Have what is written within the body lost: nobody waits for it."""
    outputs, nothing = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        for descriptor in (1, 2):
            os.dup2(nothing, descriptor)
        yield
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        for descriptor, was in enumerate(outputs, 1):
            os.dup2(was, descriptor)
            os.close(was)
        os.close(nothing)
