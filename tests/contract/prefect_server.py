"""A Prefect server of its own, as a process: what the Prefect in memory is held against."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import requests

from platformctl.model.releases import NEWEST
from platformctl.waiting import wait_until

_WORKERS = Path(__file__).resolve().parents[2] / ".venv" / "workers"
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    # Runs stay as a test has put them: nothing schedules them, or calls them late.
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
}


@contextlib.contextmanager
def serve(folder: Path, auth: str) -> Iterator[str]:
    """Run a server with a database in a folder, and give its address. auth: the `user:password` that it asks for."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    own = {"PREFECT_HOME": str(folder), "PREFECT_API_URL": url, "PREFECT_SERVER_API_AUTH_STRING": auth}
    command = [str(_python()), "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**outside, **_SETTINGS, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            assert wait_until(lambda: _is_ready(url) or None, seconds=120, pause=0.2), (
                folder / "server.log"
            ).read_text()
            yield url
        finally:
            process.terminate()
            _await_end(process)


def _python() -> Path:
    """The Python of the Prefect that PLATFORMCTL_TEST_SERVER names by its minor, or else of the newest."""
    minor = os.environ.get("PLATFORMCTL_TEST_SERVER") or NEWEST.name
    python = _WORKERS / minor / "bin" / "python"
    assert python.exists(), f"`make .venv/workers/{minor}/.ready` makes {python}"
    return python


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.RequestException:
        return False


def _await_end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
