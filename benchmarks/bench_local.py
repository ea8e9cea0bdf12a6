"""A platform of local processes to measure on, and the same started by hand: two of Prefect's own commands."""

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

import requests

from bench_stack import BenchStack


@dataclass
class ByHand:
    """A server and a worker as Prefect's documentation starts them, from the environment of a platform's image."""

    stack: BenchStack
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def up(self) -> None:
        """Start the server on an empty database, wait until it is ready, start a worker, wait until it is online."""
        home = tempfile.mkdtemp(dir=self.stack.folder)
        url = f"http://127.0.0.1:{self.stack.port}/api"
        variables = {"PREFECT_HOME": home, "PREFECT_API_URL": url, "DO_NOT_TRACK": "1"}
        self._start(variables, "server", "start", "--host", "127.0.0.1", "--port", str(self.stack.port))
        while not _answers(f"{url}/ready"):
            time.sleep(0.1)
        self._start(variables, "worker", "start", "--pool", "default", "--type", "process")
        while not _has_worker(f"{url}/work_pools/default/workers/filter"):
            time.sleep(0.1)

    def down(self) -> None:
        """End them."""
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def _start(self, variables: dict[str, str], *words: str) -> None:
        python = next(
            (self.stack.folder / ".platform" / "local" / "images").glob("*/pipelines/*/environment/bin/python")
        )
        process = subprocess.Popen(
            [python, "-m", "prefect", *words],
            env={**os.environ, **variables},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _has_worker(url: str) -> bool:
    answer = requests.post(url, json={}, timeout=5)
    return answer.ok and any(row["status"] == "ONLINE" for row in answer.json())
