"""The zygote: a process that has imported what flow runs need, has one thread, and does nothing but fork.

It is started as `python -m prefect_warm_worker.zygote DESCRIPTOR`, a socket to its worker, with the environment that its runs
have in common, but for Prefect's variables. The first message holds those, and names what is to be imported; each further one
starts a run. It reports each run's end; when the worker is gone, so is it.
"""

import contextlib
import functools
import gc
import importlib
import os
import selectors
import signal
import socket
import sys

from prefect_warm_worker._prefect.reads import HEEDED_AT_IMPORT, RENEWED, SEARCHING
from prefect_warm_worker.protocol import Job, Message, receive, send
from prefect_warm_worker.zygote.child import BLOCKED, become_run
from prefect_warm_worker.zygote.guardian import dismiss, go_on_guarded
from prefect_warm_worker.zygote.immortal import make_immortal
from prefect_warm_worker.zygote.inheritance import Beginning
from prefect_warm_worker.zygote.loggers import noting_first_setup
from prefect_warm_worker.zygote.output import outlive_reader, without_output
from prefect_warm_worker.zygote.preload import Preload
from prefect_warm_worker.zygote.probe import Probe
from prefect_warm_worker.zygote.recording import Recording, variables_now
from prefect_warm_worker.zygote.variables import note_changes

WITHOUT_THREADS = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "_RJEM_MALLOC_CONF": "background_thread:false",
}
"""Has libraries start no threads that they can do without: jemalloc within pyarrow, and within those that are written in Rust.

It has none in any fork: jemalloc's background_thread_postfork_child() turns them off.
"""


def main() -> None:
    """Serve a worker until it is gone; in a forked child, become the run and never return."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    beginning = Beginning(functools.partial(Recording, RENEWED, SEARCHING, HEEDED_AT_IMPORT))
    # It is the worker that ends it, by going away. Blocked, not ignored: one that is for a new run waits until it listens.
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    guardian = go_on_guarded(channel)
    outlive_reader()  # before anything is imported that holds on to it, as handlers of logging do
    request, _ = receive(channel)
    os.environ.update(request["environment"])
    for name, value in WITHOUT_THREADS.items():
        os.environ.setdefault(name, value)
    import_engine(request["engine"], beginning.recording.renewed)
    send(channel, {"importing": True})
    found = import_libraries(request["preload"], request["left_out"], channel)
    if not found["ready"]:
        send(channel, found)
        os._exit(0)  # whatever has been started here would be waited for
    inheritance = beginning.end()
    gc.collect()
    make_immortal()
    gc.freeze()
    dismiss(guardian)
    told = {"reads": inheritance.reads.to_message(), "sources": inheritance.sources, "pid": os.getpid()}
    send(channel, {**found, **told})
    run = serve(channel)
    if run is not None:
        become_run(*run, inheritance)


def import_engine(names: list[str], read: set[str]) -> None:
    """Import what every run needs, and do what each does alike. read: the variables that runs read anew."""
    with noting_first_setup():
        for name in names:
            with contextlib.suppress(
                ImportError
            ):  # of another version of Prefect; a run that needs it will say so itself
                importlib.import_module(name)
    if "prefect" in sys.modules:
        from prefect_warm_worker.zygote.rehearsal import rehearse  # noqa: PLC0415  # another zygote doesn't need Prefect

        rehearse(read)


def import_libraries(names: list[str], left_out: dict[str, str], channel: socket.socket) -> Message:
    """Import libraries as runs do, after their engine has set up logging; returns what the worker is told of it.

    names: of modules, in their order. left_out: modules that can't be imported ahead, with the reasons.
    """
    found = Preload(left_out)
    with without_output():
        probe, variables = Probe(), variables_now()
        found.import_all(names, functools.partial(send, channel), probe.look)
        send(channel, {"imported": True})
        found.leave_out(probe.judge(), names)
        probe.end()
        note_changes(variables, variables_now())
    return {
        "ready": not found.is_spoilt,
        "left_out": found.left_out,
        "preload": found.rest(names),
    }


def serve(channel: socket.socket) -> tuple[Job, int] | None:
    """Fork for each request. Returns in a child, with its job and output; returns None where the worker is gone."""
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
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
