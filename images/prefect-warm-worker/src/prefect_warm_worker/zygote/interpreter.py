"""What an interpreter does with a module from its start to its own end, done by a fork of one that has begun already."""

import atexit
import builtins
import contextlib
import gc
import io
import os
import runpy
import signal
import sys
import threading
import weakref
from collections.abc import Mapping
from types import ModuleType
from typing import NoReturn

from prefect_warm_worker.zygote.command_line import show_command_line


def run_module(name: str) -> int:
    """Run what `python -m` would; returns what would be its exit code, or minus the signal that would end it."""
    sys.modules.pop(name, None)  # imported ahead for what it imports, it is to run anew
    sys.argv, sys.orig_argv[:] = ["-m"], [sys.executable, "-m", name]
    show_command_line(sys.orig_argv)
    main = sys.modules["__main__"] = ModuleType("__main__")
    vars(main).update(__annotations__={}, __builtins__=builtins)
    try:
        runpy._run_module_as_main(name)  # type: ignore[attr-defined]  # what the interpreter itself calls
    except SystemExit as error:
        return _exit_code(error.code)
    except BaseException as error:  # noqa: BLE001  # what the interpreter would do
        _tell(error)
        return -signal.SIGINT if type(error) is KeyboardInterrupt else 1
    return 0


def end_process(code: int, kept: Mapping[str, ModuleType]) -> NoReturn:
    """End as an interpreter does: threads are joined, exit handlers run, modules let go, files flushed.

    code: the exit code, or minus the signal to end by. kept: modules by name, which were there before.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing does in its forks
        atexit._run_exitfuncs()  # as above
        _flush()
        _let_go(kept)
        _flush()
    finally:
        if code < 0:
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        os._exit(code & 0xFF)


def _exit_code(wanted: object) -> int:
    """The code of `sys.exit(wanted)`."""
    if wanted is None or isinstance(wanted, int):
        return int(wanted or 0) & 0xFF
    print(wanted, file=sys.stderr)
    return 1


def _tell(error: BaseException) -> None:
    """Have an error told that nobody has caught, as PyErr_Print() does."""
    _begin_below(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as failure:  # noqa: BLE001  # a flow's own hook may raise anything
        _begin_below(failure)
        failure.__context__ = None
        for title, told in (("Error in sys.excepthook:", failure), ("\nOriginal exception was:", error)):
            print(title, file=sys.stderr)
            sys.__excepthook__(type(told), told, told.__traceback__)


def _begin_below(error: BaseException) -> None:
    """Have an error's traceback begin one call below this module's own."""
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a flow may have closed or replaced them
            stream.flush()


def _let_go(kept: Mapping[str, ModuleType]) -> None:
    """Free what a run's own modules hold: files are written then, and temporary ones removed.

    In the order of CPython's finalize_modules(). Threads that go on are of no interest any more, whatever they miss now.
    """
    threading.excepthook = lambda _: None
    own = [(name, module) for name, module in sys.modules.items() if module is not kept.get(name)]
    left = [weakref.ref(module) for _, module in own if isinstance(module, ModuleType)]
    for name, _ in own:
        del sys.modules[name]
    own.clear()
    gc.collect()
    for reference in reversed(left):
        if module := reference():
            _clear(vars(module))
    for found in gc.get_objects():
        if issubclass(type(found), io.IOBase):
            with contextlib.suppress(Exception):
                found.flush()


def _clear(names: dict[str, object]) -> None:
    """Forget what a module has: names with one underscore first, as CPython's _PyModule_Clear()."""
    private = [name for name in names if name.startswith("_") and not name.startswith("__")]
    for name in [*private, *names]:
        if name != "__builtins__":
            names[name] = None
