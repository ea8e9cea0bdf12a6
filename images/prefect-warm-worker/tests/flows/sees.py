"""What a flow sees of its process, its interpreter and its settings; and one that leaves nothing as it was."""

import asyncio
import atexit
import gc
import json
import locale
import logging
import multiprocessing
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import warnings
from pathlib import Path
from typing import Any

from beside import NAME  # type: ignore[import-not-found]  # found where flows run
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.events.related import related_resources_from_run_context
from prefect.logging import get_run_logger
from prefect.settings import get_current_settings

NAMED = {"COLOUR", "TZ", "TMPDIR", "HOME", "PYTHONPATH", "LANG", "DROPPED"}
"""Variables that are told with their values."""


@flow(persist_result=True)
def look(told: str, large: list[int]) -> str:
    """Tell what there is to see, and return a large result."""
    get_run_logger().info("%s numbers", len(large))
    facts = {**process(), **interpreter(), **logs(), **settings(), **events()}
    Path(told, "facts.json").write_text(json.dumps(facts, indent=1, default=repr), encoding="utf-8")
    Path(told, "drawn").write_text(f"{random.random()} {uuid.uuid4()}", encoding="utf-8")
    return "x" * 400_000


def process() -> dict[str, Any]:
    """Tell what the operating system says of this process."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "arguments": sys.argv,
        "folder": str(Path.cwd()),
        "files": sorted(path.name for path in Path().iterdir()),
        "umask": umask,
        "input": _kind(0),
        "outputs": [_kind(1), _kind(2)],
        "descriptors that children inherit": [number for number in range(3, 1000) if _is_inheritable(number)],
        "variables": sorted(os.environ),
        "named variables": {name: value for name, value in os.environ.items() if name in NAMED},
        "leads a session": os.getsid(0) == os.getpid(),
        "leads a group": os.getpgrp() == os.getpid(),
        "niceness": os.nice(0),
        "limits": {
            name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")
        },
        # That thread is there where pull steps needed it: since Prefect 3.8 the process worker has them in a process before.
        "threads": sorted(
            {thread.name.partition(" ")[2] or thread.name for thread in threading.enumerate()}
            - {"RunSyncEventLoopThread"}
        ),
        "is in the main thread": threading.current_thread() is threading.main_thread(),
        "the main thread is the process": threading.main_thread().native_id == os.getpid(),
        "signals": {
            number.name: repr(signal.getsignal(number)).split(" at ")[0]
            for number in signal.valid_signals()
            if isinstance(number, signal.Signals)
        },
        "blocked signals": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    }


def _kind(descriptor: int) -> str:
    return (
        "pipe" if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else str(Path(f"/proc/self/fd/{descriptor}").readlink())
    )


def _is_inheritable(descriptor: int) -> bool:
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)  # OpenSSL reads its certificates from one, at any time
        return os.get_inheritable(descriptor) and not is_file
    except OSError:
        return False


def interpreter() -> dict[str, Any]:
    """Tell what the interpreter says."""
    main = sys.modules["__main__"]
    return {
        "main": [main.__name__, getattr(main.__spec__, "name", None), getattr(main, "__file__", None)],
        "path": sys.path,
        "beside": NAME,
        "flags": str(sys.flags),
        "warnings": [repr(entry) for entry in warnings.filters],
        "policy": type(asyncio.get_event_loop_policy()).__name__,
        "start method": multiprocessing.get_start_method(allow_none=True),
        "default start method": multiprocessing.get_context().get_start_method(),
        "process": multiprocessing.current_process().name,
        "locale": [locale.setlocale(locale.LC_ALL), list(locale.getlocale())],
        "time zone": time.tzname,
        "folder of temporary files": tempfile.gettempdir(),
        "input's descriptor": sys.stdin.fileno(),
        "output": [
            [stream.encoding, stream.errors, stream.line_buffering, stream.fileno()]
            for stream in (sys.stdout, sys.stderr)
        ],
        "collects": [gc.isenabled(), gc.get_threshold()],
        "recursion": sys.getrecursionlimit(),
        "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__],
        "meddled": hasattr(json, "meddled"),
    }


def logs() -> dict[str, Any]:
    """Tell how logging is set up."""
    names = [
        "",
        "prefect",
        "prefect.flow_runs",
        "prefect.task_runs",
        "prefect.extra",
        "prefect.server",
        "uvicorn",
        "httpx",
        "mine",
    ]
    return {"loggers": {name: _logger(logging.getLogger(name)) for name in names}}


def _logger(logger: logging.Logger) -> list[Any]:
    handlers = [
        f"{type(handler).__name__} {handler.level} {type(handler.formatter).__name__}" for handler in logger.handlers
    ]
    return [logger.level, logger.propagate, logger.disabled, handlers]


def settings() -> dict[str, Any]:
    """Tell Prefect's settings that are not the defaults."""
    return {"settings": get_current_settings().to_environment_variables(exclude_unset=True)}


def events() -> dict[str, Any]:
    """Tell what this run's events are related to beside the run itself."""

    async def read() -> list[str]:
        async with get_client() as client:
            found = await related_resources_from_run_context(client)
        surroundings = [resource for resource in found if resource.role != "flow-run"]
        return [f"{resource.role.replace('-', ' ')} '{resource.name}'" for resource in surroundings]

    return {"events are related to": asyncio.run(read())}


@flow
def meddle(told: str) -> None:
    """Change what can be changed, and leave threads, a child process and an exit handler behind."""
    Path("left.txt").write_text("left", encoding="utf-8")
    os.environ["COLOUR"] = "meddled"
    os.umask(0o077)
    os.chdir("/")
    json.meddled = True  # type: ignore[attr-defined]
    sys.path.insert(0, "/meddled")
    random.seed(1)
    warnings.simplefilter("error")
    logging.getLogger().addHandler(logging.StreamHandler())
    logging.getLogger("prefect").setLevel(logging.ERROR)
    logging.getLogger("mine").setLevel(logging.DEBUG)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    multiprocessing.set_start_method("spawn", force=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    gc.disable()
    atexit.register(_write, told, "exit handler")
    threading.Thread(target=_write, args=(told, "thread", 0.5)).start()
    threading.Thread(target=_write, args=(told, "daemon", 60), daemon=True).start()
    subprocess.Popen(
        [sys.executable, "-S", "-c", f"import time; time.sleep(1); open({told!r} + '/child', 'w').close()"]
    )
    with multiprocessing.Pool(1) as pool:
        _write(told, f"pool {pool.apply(abs, (-3,))}")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # not before: a pool's process would inherit it, and never end


def _write(told: str, name: str, pause: float = 0) -> None:
    time.sleep(pause)
    Path(told, name).touch()
