"""Flows that end badly, or wait for somebody to end them."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from prefect import flow, pause_flow_run, suspend_flow_run
from prefect.client.schemas.objects import FlowRun
from prefect.logging.handlers import APILogHandler


def note(flow: Any, flow_run: FlowRun, state: Any) -> None:  # noqa: ANN401, ARG001  # as Prefect calls it
    """Note a flow run's state in a file, as a hook, with a variable of the job's."""
    Path(str(flow_run.parameters["told"]), f"hook {state.name}").write_text(
        str(os.environ.get("COLOUR")), encoding="utf-8"
    )


@flow
def broken() -> None:
    """Raise an error below another flow."""
    raise ValueError("broken below")


@flow(on_failure=[note], on_crashed=[note])
def memory(told: str) -> int:
    """Ask for more memory than the process may have."""
    Path(told, "state below").write_text(str(broken(return_state=True).name), encoding="utf-8")
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    return len(bytearray(9 << 30))


@flow(on_failure=[note], on_crashed=[note])
def leave(told: str) -> None:
    """End the process with a code."""
    Path(told, "began").touch()
    APILogHandler().flush()
    os._exit(3)


@flow(on_failure=[note], on_crashed=[note])
def fault(told: str) -> None:
    """Read memory that isn't there, as a broken library does."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path(told, "began").touch()
    APILogHandler().flush()
    ctypes.string_at(0)


@flow(on_failure=[note], on_crashed=[note])
def killed(told: str) -> None:
    """Be killed, as by a kernel that has no memory left."""
    Path(told, "began").touch()
    print("the last words", flush=True)
    APILogHandler().flush()
    os.kill(os.getpid(), signal.SIGKILL)


@flow(on_cancellation=[note], on_failure=[note], on_crashed=[note])
def endless(told: str) -> None:
    """Wait with a child process until somebody cancels it."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    Path(told, "child.pid").write_text(str(child.pid), encoding="utf-8")
    Path(told, "began").touch()
    time.sleep(600)


@flow
def halting(told: str) -> None:
    """Pause, then go away until it is resumed."""
    pause_flow_run(timeout=300, poll_interval=1, key="pause")
    Path(told, "paused").touch()
    suspend_flow_run(timeout=300, key="suspend")
    Path(told, "suspended").touch()
