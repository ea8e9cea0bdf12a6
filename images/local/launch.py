"""Become one service of a platform that runs as local processes: its environment, its folder, and Prefect's command line.

Usage: launch.py SERVICE.json, with the keys `environment`, `directory`, `module`, the `arguments` that it takes, and `await`,
an address that must answer first. Environment variables come from a file because a supervisor's configuration can't hold
every text.
"""

import io
import json
import os
import runpy
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

_MARKS = ("PLATFORMCTL_FOLDER", "SUPERVISOR_GROUP_NAME")


class Output(io.FileIO):
    """What the supervisor reads. Once it is gone nobody does: that is no reason for a worker to end, and its runs with it."""

    def write(self, data: bytes | memoryview) -> int:
        """Write, or have it lost."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def survive_the_supervisor() -> None:
    """Have the interpreter's own output be one that may be lost."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        lines = io.BufferedWriter(Output(descriptor, "w", closefd=False))
        setattr(sys, name, io.TextIOWrapper(lines, encoding="utf-8", errors="backslashreplace", line_buffering=True))


def end_predecessors() -> None:
    """Kill what a killed process of this service left: a container would have taken it along."""
    marks = {f"{name}={os.environ[name]}".encode() for name in _MARKS if name in os.environ}
    if len(marks) < len(_MARKS):
        return
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found = set((process / "environ").read_bytes().split(b"\0"))
            if marks <= found and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue  # it ended, or is another user's


def wait_for(address: str) -> None:
    """Wait until an address answers with 200: a worker that starts before its server would end."""
    is_told = False
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # the platform's own server
                return
        except (urllib.error.URLError, OSError) as error:
            if not is_told:
                print(f"Waiting for {address}: {error}", file=sys.stderr, flush=True)
                is_told = True
        time.sleep(0.2)


def main(file: str) -> None:
    """Run the service; returns when Prefect does."""
    service = json.loads(Path(file).read_text(encoding="utf-8"))
    survive_the_supervisor()
    end_predecessors()
    os.environ.update(service["environment"])
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if service["await"]:
        wait_for(service["await"])
    os.chdir(service["directory"])
    sys.path[0] = service["directory"]  # as `python -m prefect` there would have it
    sys.argv = ["prefect", *service["arguments"]]
    runpy.run_module(service["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
