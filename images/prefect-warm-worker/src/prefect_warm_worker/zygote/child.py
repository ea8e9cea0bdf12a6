"""A forked child becomes a flow run: a clean slate first, then Prefect's engine, as a new interpreter would run it."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from prefect_warm_worker.protocol import ANSWERS, ENGINE_MODULE, RELATED, SUSPENDED, WORKSPACE, Job
from prefect_warm_worker.zygote.interpreter import end_process, run_module
from prefect_warm_worker.zygote.module_path import set_module_path
from prefect_warm_worker.zygote.variables import repeat_changes

BLOCKED = (signal.SIGINT, signal.SIGTERM)
"""The signals that a zygote holds back, and a run with it until it listens."""


def become_run(job: Job, output: int) -> None:
    """Do a job in this process and end it with the job's exit code. output: the descriptor that it writes to."""
    code, kept = 1, dict(sys.modules)
    try:
        leave_zygote(job, output)
        failed = prepare_run()
        code = run_module(job.module) if failed is None else failed
    except BaseException:  # noqa: BLE001  # the last thing that this process does is to say so
        traceback.print_exc()
    finally:
        end_process(code, kept)


def leave_zygote(job: Job, output: int) -> None:
    """Leave nothing of the zygote's that a new process would not have."""
    os.setsid()
    prefer_to_die()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    enter(str(job.directory), job.environment)
    repeat_changes()
    time.tzset()
    renew_module_state()
    if "prefect" in sys.modules:
        from prefect_warm_worker.zygote.rehearsal import set_up_prefect  # noqa: PLC0415  # a zygote without Prefect lacks it

        set_up_prefect()


def enter(folder: str, environment: Mapping[str, str]) -> None:
    """Work in a folder and with an environment from here on, as an interpreter that starts with them."""
    before = os.environ.get("PYTHONPATH", "")
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    set_module_path(folder, before)


def prefer_to_die() -> None:
    """Where the kernel runs out of memory it ends a run, and not the worker with all of them: proc_pid_oom_score_adj(5)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def renew_module_state() -> None:
    """Have modules draw or look up anew what they have once and for all in the zygote."""
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]  # which a fork leaves at the zygote's
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if tempfile := sys.modules.get("tempfile"):
        vars(tempfile)["tempdir"] = None  # of the zygote's TMPDIR
    if process := sys.modules.get("multiprocessing.process"):
        process.current_process().authkey = os.urandom(32)


def prepare_run() -> int | None:
    """Enter the run's workspace, where its worker wants one prepared; returns an exit code where that fails."""
    names = (RELATED, ANSWERS, SUSPENDED, WORKSPACE)
    related, answers, suspended, file = (os.environ.pop(name, None) for name in names)
    if related is not None:
        from prefect_warm_worker._prefect.related import remember_related  # noqa: PLC0415  # only Prefect's runs have it

        remember_related(related)
    if answers is not None:
        from prefect_warm_worker._prefect.answers import answer_from  # noqa: PLC0415  # as above

        answer_from(answers)
    if suspended is not None:
        from prefect_warm_worker._prefect.suspension import hear_from  # noqa: PLC0415  # as above

        hear_from(suspended)
    return enter_workspace(file) if file is not None else None


def enter_workspace(file: str) -> int | None:
    """Prepare a run's workspace and enter it; returns an exit code where that fails.

    Where that wants another command than the engine's (`uv run`, of a project that installs itself), this process becomes it.
    """
    from prefect_warm_worker._prefect.workspaces import prepare_workspace  # noqa: PLC0415  # as above
    from prefect_warm_worker.zygote.rehearsal import set_up_prefect  # noqa: PLC0415  # as above

    launch = prepare_workspace(file)
    if isinstance(launch, int):
        return launch
    if launch.command[1:] != ["-m", ENGINE_MODULE]:
        os.chdir(launch.folder)
        os.execvpe(launch.command[0], launch.command, launch.environment)  # noqa: S606  # without a shell
    enter(str(launch.folder), launch.environment)
    set_up_prefect()
    return None
