"""What goes wrong on a machine in years, in minutes: runs, workers, server and database are killed, paused, cut off, replaced."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from docker.models.containers import Container

from soak_platform import SoakPlatform
from workers_stack import wait_until

_STOP_WITHIN = 120
"""Seconds that `docker stop` waits: more than a worker's grace and what it takes to cancel."""
_COUNT_DESCRIPTORS = (
    "for p in /proc/[0-9]*; do "
    "grep -qa 'worker.start' $p/cmdline 2>/dev/null && ls $p/fd 2>/dev/null | wc -l; "
    "done | sort -n | tail -1"
)
_FIND_RUNS = (
    "for p in $(grep -laE 'prefect_warm_worker[.]zygote|prefect[.]engine' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3); do "
    "sed 's/(.*)/x/' /proc/$p/stat 2>/dev/null | awk '$6 == $1 && $1 > 1 { print $1 }'; done"
)
"""A forked run leads a session of its own."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that went wrong. what: in words. where: the container's name. From when to when, in seconds since the epoch."""

    what: str
    where: str
    began: float
    ended: float

    @property
    def kills(self) -> bool:
        """Whether flow runs there may have died of it."""
        return self.what in {"kill worker", "kill run"}


class Chaos:
    """Does something bad, at random, again and again."""

    def __init__(self, platform: SoakPlatform, seed: int, longest: float) -> None:
        """longest: seconds that an outage lasts at most; it lasts a second at least."""
        self._platform, self._longest = platform, longest
        self._random = random.Random(seed)  # noqa: S311  # to have the same again
        self._round = 0
        self.done: list[Wrong] = []

    @property
    def counts(self) -> Counter[str]:
        """How often what went wrong."""
        return Counter(wrong.what for wrong in self.done)

    def strike(self) -> None:
        """Do one of it, to its end."""
        wrongs: list[tuple[Callable[[Container], object], str, int]] = [
            (self._kill_run, "worker", 4),
            (self._kill, "worker", 3),
            (self._stop, "worker", 2),
            (self._pause, "worker", 2),
            (self._cut_off, "worker", 2),
            (self._kill, "server", 3),
            (self._pause, "server", 2),
            (self._cut_off, "server", 1),
            (self._kill, "database", 2),
            (self._pause, "database", 2),
            (self._replace_server, "server", 2),
            (self._replace_workers, "worker", 2),
        ]
        wrong, role, _ = self._random.choices(wrongs, [weight for *_, weight in wrongs])[0]
        container = self._random.choice(sorted(self._platform.containers(role), key=lambda found: str(found.name)))
        began = time.time()
        wrong(container)
        name = wrong.__name__.strip("_").replace("_", " ")
        what = name if role in name or name == "kill run" or "replace" in name else f"{name} {role}"
        self.done.append(Wrong(what, str(container.name), began, time.time()))

    def _wait(self) -> None:
        """Wait for as long as this outage lasts: short ones are as frequent as ones ten times as long."""
        time.sleep(self._longest ** self._random.random())

    def _kill_run(self, worker: Container) -> None:
        if pids := _run_in(worker, _FIND_RUNS).split():
            signal = self._random.choice(["KILL", "SEGV"])
            _run_in(worker, f"kill -{signal} {self._random.choice(pids)}")

    def _kill(self, container: Container) -> None:
        container.kill()
        self._wait()
        container.start()

    def _stop(self, container: Container) -> None:
        container.stop(timeout=_STOP_WITHIN)
        self._wait()
        container.start()

    def _pause(self, container: Container) -> None:
        container.pause()
        self._wait()
        container.unpause()

    def _cut_off(self, container: Container) -> None:
        """Take it off its networks, and put it back as it was."""
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"]
        found = {name: self._platform.network(name) for name in networks}
        for network in found.values():
            network.disconnect(container)
        self._wait()
        for name, network in found.items():
            network.connect(container, aliases=networks[name]["Aliases"])

    def _replace_server(self, _: Container) -> None:
        self._round += 1
        wait_until(self._platform.is_ready, "the server is ready", 1200)
        self._platform.change_server(7 + self._round)
        self._platform.bring_up()

    def _replace_workers(self, worker: Container) -> None:
        self._round += 1
        wait_until(self._platform.is_ready, "the server is ready", 1200)
        self._platform.change_workers(worker.labels["io.platformctl.pool"], self._round)
        self._platform.bring_up()


def read_left(container: Container) -> dict[str, int]:
    """Return what there is in a worker's container: processes, zombies, and the worker's own file descriptors."""
    states = [row[1] for row in container.top(ps_args="-eo pid,stat")["Processes"]]
    zombies = sum(state.startswith("Z") for state in states)
    return {"processes": len(states), "zombies": zombies, "descriptors": int(_run_in(container, _COUNT_DESCRIPTORS))}


def _run_in(container: Container, script: str) -> str:
    found = container.exec_run(["sh", "-c", script], user="root", privileged=True)
    return cast("bytes", found.output).decode()
