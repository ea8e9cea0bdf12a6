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
from prefect_warm_worker.zygote.inheritance import Inheritance, become_interpreter
from prefect_warm_worker.zygote.interpreter import end_process, run_module
from prefect_warm_worker.zygote.variables import repeat_changes

_OWN = (RELATED, ANSWERS, SUSPENDED, WORKSPACE)
"""The variables with which a worker tells its forks what it knows."""
BLOCKED = (signal.SIGINT, signal.SIGTERM)
"""The signals that a zygote holds back, and a run with it until it listens."""


def become_run(job: Job, output: int, inheritance: Inheritance) -> None:
    """Do a job in this process and end it with the job's exit code. output: the descriptor that it writes to."""
    code, kept = 1, dict(sys.modules)
    try:
        leave_zygote(output)
        inheritance = inheritance.in_environment(job.environment)
        if job.is_late or not inheritance.fits(job.environment, str(job.directory)):
            become_interpreter(words_for(job), without_own_variables(job.environment), str(job.directory))
        enter_run(job, inheritance)
        failed = prepare_run(inheritance)
        code = run_module(job.module) if failed is None else failed
    except BaseException:  # noqa: BLE001  # the last thing that this process does is to say so
        traceback.print_exc()
    finally:
        end_process(code, kept)


def leave_zygote(output: int) -> None:
    """Leave nothing of the zygote's that a new process would not have."""
    os.setsid()
    prefer_to_die()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)


def words_for(job: Job) -> list[str]:
    """Return the arguments with which an interpreter does a job."""
    file = job.environment.get(WORKSPACE)
    if file is None:
        return ["-m", job.module]
    from prefect_warm_worker._prefect.workspaces import SUPERVISOR_MODULE  # noqa: PLC0415  # only Prefect's runs have them

    return ["-m", SUPERVISOR_MODULE, file]


def without_own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what a worker tells its forks."""
    return {name: value for name, value in environment.items() if name not in _OWN}


def enter_run(job: Job, inheritance: Inheritance) -> None:
    """Begin with the job's folder and environment, as an interpreter that starts with them."""
    enter(str(job.directory), job.environment, inheritance)
    repeat_changes()
    time.tzset()
    renew_module_state()
    if "prefect" in sys.modules:
        from prefect_warm_worker.zygote.rehearsal import set_up_prefect  # noqa: PLC0415  # a zygote without Prefect lacks it

        set_up_prefect()


def enter(folder: str, environment: Mapping[str, str], inheritance: Inheritance) -> None:
    """Work in a folder and with an environment from here on, as an interpreter that starts with them."""
    os.environ.clear()
    os.environ.update({**inheritance.added, **environment})
    os.chdir(folder)
    sys.path[:] = inheritance.module_path(environment, folder)


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
        vars(process)["ORIGINAL_DIR"] = str(Path.cwd())
    if rich := sys.modules.get("rich"):
        vars(rich)["_IMPORT_CWD"] = str(Path.cwd())
    if handlers := sys.modules.get("wsgiref.handlers"):
        handlers.BaseHandler.os_environ = handlers.read_environ()


def prepare_run(inheritance: Inheritance) -> int | None:
    """Enter the run's workspace, where its worker wants one prepared; returns an exit code where that fails."""
    related, answers, suspended, file = (os.environ.pop(name, None) for name in _OWN)
    if related is not None:
        from prefect_warm_worker._prefect.related import remember_related  # noqa: PLC0415  # only Prefect's runs have it

        remember_related(related)
    if answers is not None:
        from prefect_warm_worker._prefect.answers import answer_from  # noqa: PLC0415  # as above

        answer_from(answers)
    if suspended is not None:
        from prefect_warm_worker._prefect.suspension import hear_from  # noqa: PLC0415  # as above

        hear_from(suspended)
    return enter_workspace(file, inheritance) if file is not None else None


def enter_workspace(file: str, inheritance: Inheritance) -> int | None:
    """Prepare a run's workspace and enter it; returns an exit code where that fails.

    Where that wants another command than the engine's (`uv run`, of a project that installs itself), this process becomes it;
    or the engine's in a new interpreter, where that would not have what this one has.
    """
    from prefect_warm_worker._prefect.workspaces import prepare_workspace  # noqa: PLC0415  # as above
    from prefect_warm_worker.zygote.rehearsal import set_up_prefect  # noqa: PLC0415  # as above

    launch = prepare_workspace(file)
    if isinstance(launch, int):
        return launch
    is_engine = launch.command[1:] == ["-m", ENGINE_MODULE]
    if not is_engine or not inheritance.fits(launch.environment, str(launch.folder)):
        os.chdir(launch.folder)
        os.execvpe(launch.command[0], launch.command, launch.environment)  # noqa: S606  # without a shell
    enter(str(launch.folder), launch.environment, inheritance)
    set_up_prefect()
    return None
