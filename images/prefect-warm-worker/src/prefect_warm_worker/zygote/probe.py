"""What modules did to this process beside being imported: what a fork would lack, share with others, or have too early.

A look notes whose doing something new is: that of the module which is executed. What is still so at the end can't be forked.
"""

import _signal  # type: ignore[import-not-found]  # what `signal` wraps: its enums take a millisecond
import asyncio.events
import builtins
import contextvars
import gc
import locale
import logging
import os
import random
import resource
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

_NOT_JUDGED = {*sys.stdlib_module_names, "__main__", "prefect_warm_worker"}
_TASKS, _OPEN = Path("/proc/self/task"), Path("/proc/self/fd")


class Probe:
    """Looks again and again at what a process is; what is so at first it takes for granted."""

    def __init__(self) -> None:
        self._getcwd, self._asked = os.getcwd, 0
        os.getcwd = self._tell_folder
        self._first = {name: read() for name, read in _VALUES.items()}
        self._last = dict(self._first)
        self._changed_by: dict[str, str] = {}
        self._kept = self._held()
        self._begun_by: dict[tuple[str, int], str] = {}
        self._functions = {id(owner): (owner, dict(vars(owner))) for owner in _owners_of_functions()}

    def look(self, module: str) -> None:
        """Note what is new; it is a module's doing."""
        for name, read in _VALUES.items():
            if (found := read()) != self._last[name]:
                self._last[name], self._changed_by[name] = found, module
        held = self._held()
        self._begun_by = {which: self._begun_by.get(which, module) for which in held - self._kept}

    def judge(self) -> dict[str, str]:
        """Return why modules can't be imported ahead: by module, which is empty where nobody knows whose doing it is."""
        gc.collect()
        try_fork()
        self.look("")
        changed = {
            self._changed_by[name]: f"it changes {name}" for name in self._last if self._last[name] != self._first[name]
        }
        begun = {module: f"it {_describe(*which)}" for which, module in self._begun_by.items()}
        return {**self._replaced(), **changed, **begun}

    def end(self) -> None:
        """Look no more."""
        os.getcwd = self._getcwd

    def _tell_folder(self) -> str:
        """Answer as os.getcwd(); each run has a folder of its own, so what a module made of this one would be wrong there."""
        frame = sys._getframe(1)
        while frame.f_code.co_name != "<module>" and frame.f_back:
            frame = frame.f_back
        self._asked += str(frame.f_globals.get("__name__")).partition(".")[0] not in _NOT_JUDGED
        return self._getcwd()

    def _held(self) -> set[tuple[str, int]]:
        """Return what is held, and how often modules have asked for the working directory."""
        return _held() | {("folder", number) for number in range(self._asked)}

    def _replaced(self) -> dict[str, str]:
        """What replaces functions and classes of Python's own, by its module."""
        found = {}
        for owner, former in self._functions.values():
            for name, value in former.items():
                if (
                    not name.startswith("_")
                    and callable(value)
                    and (now := vars(owner).get(name)) is not value
                    and callable(now)
                ):
                    module = str(getattr(now, "__module__", ""))
                    if module.partition(".")[0] not in sys.stdlib_module_names:
                        found[module if module in sys.modules else ""] = f"it replaces {_title(owner)}.{name}"
        return found


def try_fork() -> None:
    """Fork once for nothing: libraries that are ready for it, as numpy's OpenBLAS is, end their threads before a fork."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which are what is looked for
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _signals() -> Hashable:
    return tuple(map(_signal.getsignal, range(1, signal.NSIG)))


def _decimals() -> Hashable:
    decimal = sys.modules.get("_decimal")  # what `decimal` wraps; that may be being imported just now
    if decimal is None:
        return _DECIMALS
    found = contextvars.copy_context().run(decimal.getcontext)  # which would make one here
    return found.prec, found.rounding


def _logging() -> Hashable:
    root = logging.root
    made_by = logging.getLoggerClass(), logging.getLogRecordFactory()
    return root.level, tuple(root.handlers), tuple(root.filters), root.manager.disable, *made_by


_DECIMALS = (28, "ROUND_HALF_EVEN")
"""How they are in a new interpreter."""
_FINDERS = len(sys.meta_path)
"""Those that a new interpreter has. What is behind them is asked for what nobody else knows, such as six's own modules."""
_LIMITS = [number for name, number in vars(resource).items() if name.startswith("RLIMIT_")]
_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")
_VALUES: Mapping[str, Callable[[], object]] = {
    "the working directory": lambda: os.stat(".").st_ino,  # noqa: PTH116  # which nobody is counted for
    "the umask": _umask,
    "how signals are handled": _signals,
    "the locale": lambda: locale.setlocale(locale.LC_ALL),
    "the recursion limit": sys.getrecursionlimit,
    "how threads take turns": sys.getswitchinterval,
    "what is traced": lambda: (sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile()),
    "how garbage is collected": lambda: (gc.isenabled(), gc.get_threshold(), list(gc.callbacks)),
    "its limits": lambda: [resource.getrlimit(which) for which in _LIMITS],
    "sys.stdin, stdout or stderr": lambda: (sys.stdin, sys.stdout, sys.stderr),
    "how modules are found": lambda: (sys.meta_path[:_FINDERS], list(sys.path_hooks), list(sys.path)),
    "how errors are shown": lambda: (*(getattr(sys, name) for name in _HOOKS), threading.excepthook),
    "built-in names": lambda: len(vars(builtins)),
    "logging for all": _logging,
    "how long sockets wait": socket.getdefaulttimeout,
    "asyncio's policy": lambda: vars(asyncio.events).get("_event_loop_policy"),
    "random numbers": random.getstate,
    "how decimals are reckoned": _decimals,
}
"""What a process has one of, and everybody in it sees."""


def _held() -> set[tuple[str, int]]:
    """Return what this process has of what a fork loses or shares: threads, those of libraries in C too, open files, children."""
    held = {("thread", thread) for thread in _numbers(_TASKS)} | {
        ("file", file) for file in _numbers(_OPEN) if _is_open(file)
    }
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return held
    return held | {("process", 0)}


def _numbers(folder: Path) -> list[int]:
    return list(map(int, os.listdir(folder)))  # noqa: PTH208  # names only


def _is_open(descriptor: int) -> bool:
    """Whether a descriptor is open, and not the one that they were listed with."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _describe(kind: str, number: int) -> str:
    """Say what was begun and is still there."""
    match kind:
        case "folder":
            return "asks for the working directory"
        case "thread":
            return f"starts a thread ({_thread_name(number)})"
        case "file":
            return f"keeps open {os.readlink(_OPEN / str(number))}"  # noqa: PTH115  # not always a path
    return "leaves a process running"


def _thread_name(thread: int) -> str:
    """Return what a thread is called: by Python, or else by the kernel."""
    named = [known.name for known in threading.enumerate() if known.native_id == thread]
    return named[0] if named else (_TASKS / str(thread) / "comm").read_text("utf-8").strip()


def _owners_of_functions() -> Iterator[ModuleType | type]:
    """Yield Python's own modules that are loaded, and their classes."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in sys.stdlib_module_names and isinstance(module, ModuleType):
            yield module
            yield from (found for found in vars(module).values() if isinstance(found, type))


def _title(owner: ModuleType | type) -> str:
    return owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__name__}"
