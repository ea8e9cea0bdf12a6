"""A platform to measure on: a copy of the quickstart in a folder of its own, on a free port."""

import shutil
import socket
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import requests

from measure import call

QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart"
PLATFORMCTL = Path(sys.executable).with_name("platformctl")
PREFECT = Path(sys.executable).with_name("prefect")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class BenchStack:
    """A platform's folder, and the port of its server."""

    folder: Path
    port: int

    def ctl(self, *words: str) -> str:
        """Run platformctl on it."""
        return call([PLATFORMCTL, "-C", self.folder, *words])

    def compose(self, *words: str) -> str:
        """Run Docker Compose on its rendered bundle."""
        return call(["docker", "compose", *words], self.folder / ".platform" / "bundle")

    def clear(self) -> None:
        """Leave nothing of it but images, files and secrets."""
        self.ctl("down", "--volumes", "--yes")

    def clear_with_compose(self) -> None:
        """The same by Compose's own means."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")

    def change_flow(self) -> None:
        """Give the flow a content that it never had."""
        file = self.folder / "flows" / "hello.py"
        file.write_text(f"{file.read_text(encoding='utf-8')}\n# {next(_numbers)} {time.time_ns()}\n", encoding="utf-8")

    def wait_online(self, workers: int) -> None:
        """Wait until Prefect calls some workers online."""
        password = (self.folder / ".platform" / "secrets" / "api_password").read_text(encoding="utf-8")
        url = f"http://127.0.0.1:{self.port}/api/work_pools/default/workers/filter"
        while True:
            rows = requests.post(url, json={}, auth=("admin", password), timeout=10).json()
            if sum(row["status"] == "ONLINE" for row in rows) >= workers:
                return
            time.sleep(0.1)


def create_stack(folder: Path, runtime: str) -> BenchStack:
    """Copy the quickstart without its deployment, which its peers have no way to register, and build its image."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    shutil.copytree(QUICKSTART, folder, ignore=shutil.ignore_patterns(".platform", "prefect.yaml"))
    spec = folder / "platform.toml"
    text = spec.read_text(encoding="utf-8").replace("port = 4200", f"port = {port}").replace("quickstart", "bench")
    text = text.replace("[server]", f'runtime = "{runtime}"\n\n[server]', 1)
    spec.write_text(text, encoding="utf-8")
    stack = BenchStack(folder, port)
    stack.ctl("render")
    stack.ctl("build-image")
    return stack
