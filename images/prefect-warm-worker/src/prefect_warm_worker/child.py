"""A forked child becomes a flow run: a clean slate first, then Prefect's engine, as a new interpreter would run it."""

import atexit
import contextlib
import os
import random
import runpy
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from prefect_warm_worker.messages import Message
from prefect_warm_worker.modules import look_for_modules
from prefect_warm_worker.zygote import BLOCKED

WORKSPACE = "PREFECT__WARM_WORKER_WORKSPACE"
"""The variable that names the file in which the worker says what is to be prepared."""
RELATED = "PREFECT__WARM_WORKER_RELATED"
"""The variable with what the run's events tell of its flow, deployment and pool, as JSON."""


def become_run(request: Message, output: int) -> None:
    """Run the engine in this process and end it with the engine's exit code."""
    code = 1
    try:
        clean(request, output)
        failed = prepare()
        code = run_engine(request) if failed is None else failed
    except BaseException:  # noqa: BLE001  # the last thing that this process does is to say so
        traceback.print_exc()
    finally:
        end(code)


def clean(request: Message, output: int) -> None:
    """Leave nothing of the zygote's that a new process would not have."""
    os.setsid()
    prefer_to_die()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    before = os.environ.get("PYTHONPATH", "")
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    look_for_modules(request["directory"], before)
    time.tzset()
    forget()
    sys.argv = [request["module"]]
    if "prefect" in sys.modules:
        from prefect_warm_worker.rehearsal import set_up  # noqa: PLC0415  # what a zygote without Prefect doesn't need

        set_up()


def prefer_to_die() -> None:
    """Where the kernel runs out of memory it ends a run, and not the worker with all of them: proc_pid_oom_score_adj(5)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def forget() -> None:
    """Leave out what the zygote's modules have drawn or looked up once, for every run of theirs."""
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]  # which a fork leaves at the zygote's
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if tempfile := sys.modules.get("tempfile"):
        vars(tempfile)["tempdir"] = None  # of the zygote's TMPDIR
    if process := sys.modules.get("multiprocessing.process"):
        process.current_process().authkey = os.urandom(32)


def prepare() -> int | None:
    """Enter the run's workspace, where its worker wants one prepared; returns an exit code where that fails."""
    related, file = (os.environ.pop(name, None) for name in (RELATED, WORKSPACE))
    if related is not None:
        from prefect_warm_worker.related import remember  # noqa: PLC0415  # only Prefect's runs have it

        remember(related)
    if file is None:
        return None
    from prefect_warm_worker._prefect import enter_workspace  # noqa: PLC0415  # as above
    from prefect_warm_worker.rehearsal import set_up  # noqa: PLC0415  # as above

    failed = enter_workspace(file)
    if failed is None:
        set_up()
    return failed


def run_engine(request: Message) -> int:
    """Run `python -m prefect.engine`; returns what would be its exit code."""
    sys.modules.pop(request["module"], None)  # imported ahead for what it imports, it is to run anew
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001  # what the interpreter would do
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def end(code: int) -> None:
    """End as an interpreter does that has nothing left to free: threads are joined, exit handlers run, files flushed."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing does in its forks
        atexit._run_exitfuncs()  # as above
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
