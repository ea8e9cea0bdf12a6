"""What goes wrong on a machine in years, in minutes: runs, zygotes, workers and the server are killed, stopped and started."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from docker.models.containers import Container

from workers_stack import Worker, WorkersStack, wait_until

_STOP_WITHIN = 60
"""Seconds that `docker stop` waits: more than a worker's grace and what it takes to cancel."""


_COUNT_DESCRIPTORS = (
    "for p in /proc/[0-9]*; do "
    "grep -qa 'worker.start' $p/cmdline 2>/dev/null && ls $p/fd 2>/dev/null | wc -l; "
    "done | sort -n | tail -1"
)


class Chaos:
    """Does something bad, at random, again and again."""

    def __init__(self, stack: WorkersStack, workers: list[Worker], seed: int) -> None:
        self._stack, self._workers = stack, workers
        self._random = random.Random(seed)  # noqa: S311  # to have the same again
        self.done: Counter[str] = Counter()

    def strike(self) -> None:
        """Do one of it."""
        wrongs: list[tuple[Callable[[], bool], int]] = [
            (self._kill_run, 10),
            (self._kill_zygote, 2),
            (self._kill_worker, 2),
            (self._stop_worker, 2),
            (self._kill_server, 1),
        ]
        wrong = self._random.choices([wrong for wrong, _ in wrongs], [weight for _, weight in wrongs])[0]
        if wrong():
            name = wrong.__name__.strip("_").replace("_", " ")
            self.done[name] += 1

    def _kill_run(self) -> bool:
        """Send a signal to a forked run: its process leads a session of its own."""
        signal = self._random.choice(["KILL", "SEGV", "TERM"])
        return self._signal("$6 == $1 && $1 > 1", signal)

    def _kill_zygote(self) -> bool:
        return self._signal("$6 != $1", "KILL")

    def _signal(self, condition: str, signal: str) -> bool:
        """Send a signal to one of a worker's processes that come from a zygote and meet a condition on /proc/PID/stat."""
        container = self._random.choice(self._workers).container
        find = (
            "for p in $(grep -laE 'prefect_warm_worker[.]zygote|prefect[.]engine' /proc/[0-9]*/cmdline 2>/dev/null"
            " | cut -d/ -f3); do "
            f"sed 's/(.*)/x/' /proc/$p/stat 2>/dev/null | awk '{condition} {{ print $1 }}'; done"
        )
        pids = _run_in(container, find).split()
        if not pids:
            return False
        return container.exec_run(["sh", "-c", f"kill -{signal} {self._random.choice(pids)}"]).exit_code == 0

    def _kill_worker(self) -> bool:
        container = self._random.choice(self._workers).container
        container.kill()
        container.start()
        return True

    def _stop_worker(self) -> bool:
        container = self._random.choice(self._workers).container
        container.stop(timeout=_STOP_WITHIN)
        container.start()
        return True

    def _kill_server(self) -> bool:
        self._stack.server.kill()
        time.sleep(self._random.uniform(0, 10))
        self._stack.server.start()
        wait_until(self._stack.api.is_ready, "the server is ready again")
        return True


def read_left(container: Container) -> dict[str, int]:
    """Return what there is in a worker's container: processes, zombies, and the worker's own file descriptors."""
    states = [row[1] for row in container.top(ps_args="-eo pid,stat")["Processes"]]
    zombies = sum(state.startswith("Z") for state in states)
    return {"processes": len(states), "zombies": zombies, "descriptors": int(_run_in(container, _COUNT_DESCRIPTORS))}


def _run_in(container: Container, script: str) -> str:
    found = container.exec_run(["sh", "-c", script], user="root", privileged=True)
    return cast("bytes", found.output).decode()
