"""Prints what a program can see of its process and its interpreter, a fact a line. It needs nothing but the standard library."""

import asyncio
import contextvars
import gc
import locale
import logging
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def look() -> None:
    """Print all of it, to what is the interpreter's own output; sys.stdout may be anything by now."""
    lines = [f"{name}: {value}" for name, value in facts()]
    os.write(1, ("\n".join(lines) + "\n").encode(errors="replace"))


def facts() -> Iterator[tuple[str, Any]]:
    """Yield each fact with its name."""
    yield from _interpreter()
    yield from _process()
    yield from _streams()
    yield "signals", {each.name: str(signal.getsignal(each)) for each in signal.Signals}
    yield "blocked", signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield "warnings", warnings.filters
    yield "loggers", sorted(_loggers())


def _interpreter() -> Iterator[tuple[str, Any]]:
    main = sys.modules["__main__"]
    yield "arguments", [sys.argv, sys.orig_argv, sys.path, sys.flags]
    yield "main", [main.__name__, main.__file__, main.__spec__.name if main.__spec__ else None, sorted(vars(main))]
    yield "hooks", [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, len(sys.meta_path)]
    yield "tracing", [sys.gettrace(), sys.getprofile(), threading.getprofile()]
    yield "collects", [gc.isenabled(), gc.get_threshold(), gc.callbacks]
    yield "limits", [sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()]
    yield "context", sorted(each.name for each in contextvars.copy_context())
    yield "policy", type(asyncio.get_event_loop_policy()).__name__
    yield "place", [time.tzname, tempfile.gettempdir(), locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding()]
    yield "error", [sys.exc_info(), getattr(sys, "last_value", None)]


def _process() -> Iterator[tuple[str, Any]]:
    umask = os.umask(0)
    os.umask(umask)
    yield "variables", sorted(os.environ.items())
    yield (
        "variables to the kernel",
        sorted(Path("/proc/self/environ").read_bytes().split(b"\0"))
        == sorted([*(b"%s=%s" % each for each in os.environb.items()), b""]),
    )
    yield "command", Path("/proc/self/cmdline").read_bytes()
    yield "name", Path("/proc/self/comm").read_bytes()
    yield "folder", Path.cwd()
    yield "umask", umask
    yield "session", [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid(), os.nice(0)]
    yield (
        "rights",
        [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")],
    )
    yield "descriptors", [number for number in range(64) if _is_open(number)]
    yield "threads", sorted((each.name, each.daemon) for each in threading.enumerate())
    yield "threads to the kernel", _threads_to_the_kernel()
    yield (
        "main thread",
        [threading.main_thread().native_id == os.getpid(), threading.main_thread().ident == threading.get_ident()],
    )
    yield "children", Path(f"/proc/self/task/{os.getpid()}/children").read_bytes()


def _threads_to_the_kernel() -> int:
    """Return how many there are, once those have gone that Python holds for ended."""
    for _ in range(100):
        if (found := len(list(Path("/proc/self/task").iterdir()))) <= threading.active_count():
            break
        time.sleep(0.01)
    return found


def _is_open(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:
        return False


def _streams() -> Iterator[tuple[str, Any]]:
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        yield name, [stream, stream is getattr(sys, f"__{name}__")]
        if stream is not None and not stream.closed:
            yield (
                f"{name}'s",
                [stream.errors, stream.line_buffering, stream.write_through, stream.isatty(), stream.fileno()],
            )


def _loggers() -> Iterator[Any]:
    yield "", _logger(logging.getLogger())


def _logger(logger: logging.Logger) -> list[Any]:
    return [logger.level, logger.propagate, logger.disabled, [type(handler).__name__ for handler in logger.handlers]]
