"""A platform on Docker for a soak: made by platformctl, with a pool for each rule of what becomes of lost flow runs."""

import contextlib
import functools
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import docker
import requests
from docker.models.containers import Container
from docker.models.networks import Network

from bench_stack import PLATFORMCTL
from measure import call
from workers_stack import free_port

FLOWS = Path(__file__).parent / "soak_flows"
POOLS = {"finish": 'grace = 60\non_stop = "finish"', "reschedule": 'grace = 5\non_stop = "reschedule"'}
_SPEC = """\
[platform]
name = "{name}"
prefect = "{prefect}"
runtime = "docker"

[server]
port = {port}
keep_events = 7

[images.soak]
flows = "flows"
"""
_POOL = """
[pools.{pool}]
workers = {workers}
concurrency = 10
{rule}
environment = {{ ROUND = "0" }}
"""
_ANSWERS_WITHIN = 1200
"""Seconds until a server that is asked again and again must have answered."""


class SoakPlatform:
    """A platform in a folder of its own. Use it as a context manager: nothing of it is left but images."""

    def __init__(self, prefect: str, workers: int, limits: dict[str, int | None]) -> None:
        """workers: of each pool. limits: kinds of runs to the concurrency limits of their deployments."""
        self.name, self._port = "soak", free_port()
        self._folder = Path(tempfile.mkdtemp())
        self._engine = docker.from_env(timeout=600)
        shutil.copytree(FLOWS, self._folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
        spec = _SPEC.format(name=self.name, prefect=prefect, port=self._port)
        pools = [_POOL.format(pool=pool, workers=workers, rule=rule) for pool, rule in POOLS.items()]
        (self._folder / "platform.toml").write_text("".join([spec, *pools]), "utf-8")
        entries = [_entry(kind, pool, limit) for kind, limit in limits.items() for pool in POOLS]
        (self._folder / "prefect.yaml").write_text("deployments:\n" + "".join(entries), "utf-8")

    def __enter__(self) -> "SoakPlatform":
        """Bring it up."""
        try:
            self.bring_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        for container in self.containers():
            if container.status == "paused":
                container.unpause()
        self.ctl("down", "--volumes", "--yes")
        shutil.rmtree(self._folder)

    def ctl(self, *words: str) -> str:
        """Run platformctl on it; raises RuntimeError with what it said."""
        return call([PLATFORMCTL, "-C", self._folder, *words])

    def bring_up(self) -> None:
        """Bring it to what its file says, at the third attempt where a busy machine is too slow for the first ones."""
        for _ in range(2):
            with contextlib.suppress(RuntimeError):
                self.ctl("up")
                return
        self.ctl("up")

    def change_server(self, events: int) -> None:
        """Have the next `up` replace the server. events: the days that it keeps them."""
        self._edit(r"keep_events = \d+", f"keep_events = {events}")

    def change_workers(self, pool: str, round_: int) -> None:
        """Have the next `up` replace the workers of a pool."""
        self._edit(rf"(\[pools\.{pool}\][^\[]*ROUND = )\"\d+\"", rf'\g<1>"{round_}"')

    def _edit(self, pattern: str, new: str) -> None:
        file = self._folder / "platform.toml"
        text, count = re.subn(pattern, new, file.read_text("utf-8"))
        if count != 1:
            raise ValueError(f"platform.toml has {pattern} {count} times")
        file.write_text(text, "utf-8")

    @functools.cached_property
    def deployments(self) -> dict[str, str]:
        """The deployments' names by id."""
        return {row["id"]: row["name"] for row in self.ask("POST", "deployments/filter", {"limit": 200})}

    def ask(self, method: str, path: str, content: object = None) -> Any:  # noqa: ANN401  # JSON
        """Ask the server until it answers; raises HTTPError where it refuses."""
        end = time.monotonic() + _ANSWERS_WITHIN
        while (answer := self._ask(method, path, content)) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"no answer to {method} {path} within {_ANSWERS_WITHIN} s")
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def is_ready(self) -> bool:
        """Return whether the server answers and reaches its database."""
        answer = self._ask("GET", "ready", None)
        return answer is not None and answer.ok

    def _ask(self, method: str, path: str, content: object) -> requests.Response | None:
        password = (self._folder / ".platform" / "secrets" / "api_password").read_text("utf-8").strip()
        url = f"http://127.0.0.1:{self._port}/api/{path}"
        try:
            answer = requests.request(method, url, json=content, auth=("admin", password), timeout=30)
        except requests.RequestException:
            return None
        return None if answer.status_code >= requests.codes.server_error else answer

    def containers(self, role: str | None = None) -> list[Container]:
        """Return its containers, or those of a role, running or not."""
        labels = [f"io.platformctl.platform={self.name}", *([f"io.platformctl.role={role}"] if role else [])]
        found: list[Container] = self._engine.containers.list(all=True, filters={"label": labels})
        return found

    def network(self, name: str) -> Network:
        """Return a network."""
        return self._engine.networks.get(name)

    def read_journal(self) -> list[str]:
        """Return what flow runs have noted, of all pools."""
        lines: list[str] = []
        for pool in POOLS:
            name = f"{self.name}-worker-{pool}-1"
            read = ["sh", "-c", "cat /var/lib/prefect/results/journal 2>/dev/null"]
            said = cast("bytes", self._engine.containers.get(name).exec_run(read).output)
            lines += said.decode().splitlines()
        return lines


def _entry(kind: str, pool: str, limit: int | None) -> str:
    entry = f"  - name: {kind}-{pool}\n    entrypoint: flows/kinds.py:{kind}\n    work_pool:\n      name: {pool}\n"
    return entry if limit is None else f"{entry}    concurrency_limit: {limit}\n"
