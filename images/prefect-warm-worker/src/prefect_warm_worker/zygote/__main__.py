"""The zygote: a process that has imported what flow runs need, has one thread, and does nothing but fork.

It is started as `python -m prefect_warm_worker.zygote DESCRIPTOR`, a socket to its worker. The first message holds its
environment and names what is to be imported; each further one starts a run. It reports each run's end; when the worker is
gone, so is it.
"""

import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import sysconfig
import threading
import warnings
from pathlib import Path

from prefect_warm_worker.orphans import adopt_orphans
from prefect_warm_worker.protocol import Job, receive, send
from prefect_warm_worker.zygote.child import BLOCKED, become_run
from prefect_warm_worker.zygote.immortal import make_immortal
from prefect_warm_worker.zygote.loggers import noting_first_setup
from prefect_warm_worker.zygote.output import outlive_reader


def main() -> None:
    """Serve a worker until it is gone; in a forked child, become the run and never return."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    adopt_orphans()
    outlive_reader()  # before anything is imported that holds on to it, as handlers of logging do
    request, _ = receive(channel)
    os.environ.clear()
    os.environ.update(request["environment"])
    with noting_first_setup():
        failed = preload(request["engine"])
    if "prefect" in sys.modules:
        from prefect_warm_worker.zygote.rehearsal import rehearse  # noqa: PLC0415  # another zygote doesn't need Prefect

        rehearse()
    failed |= preload(request["preload"])  # as a run imports them: after its engine has set up logging
    try_fork()
    gc.collect()
    make_immortal()
    gc.freeze()
    send(channel, {"ready": True, "failed": failed, "threads": running_threads(), "sources": sources()})
    run = serve(channel)
    if run is not None:
        become_run(*run)


def preload(names: list[str]) -> dict[str, str]:
    """Import modules; return those that can't be, with the reason."""
    failed = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  # a flow that needs it will say so itself
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def sources() -> list[str]:
    """Return the files of what was imported from elsewhere than where Python and installed libraries are."""
    homes = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({file for file in files if file and not file.startswith(homes)})


def try_fork() -> None:
    """Fork once for nothing: libraries that are ready for it, as numpy's OpenBLAS is, end their threads before a fork."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which the worker names when it is told of them
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def running_threads() -> list[str]:
    """Return the names of this process's other threads, those of libraries written in C too."""
    known = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    tasks = Path("/proc/self/task")
    unknown = (len(list(tasks.iterdir())) if tasks.exists() else 1) - 1 - len(known)
    return known + ["a thread of a library written in C"] * max(unknown, 0)


def serve(channel: socket.socket) -> tuple[Job, int] | None:
    """Fork for each request. Returns in a child, with its job and output; returns None where the worker is gone."""
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    # It is the worker that ends it, by going away. Blocked, not ignored: one that is for a new run waits until it listens.
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    selector = selectors.DefaultSelector()
    selector.register(channel, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if woken in ready:
            woken.recv(4096)
            report_ends(channel)
        if channel in ready:
            try:
                request, output = receive(channel)
            except (EOFError, OSError):
                return None
            if output is None:
                continue
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                selector.close()
                for end in (channel, woken, wake):
                    end.close()
                return Job.from_message(request), output
            os.close(output)
            send(channel, {"started": request["id"], "pid": pid})


def report_ends(channel: socket.socket) -> None:
    """Tell the worker which runs have ended, and how."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        send(channel, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
