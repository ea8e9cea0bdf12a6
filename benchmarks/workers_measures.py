"""What is measured of a worker: throughput, what it costs it and its server, reaction, memory, idling."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from docker.models.containers import Container

from workers_api import Api, Run
from workers_stack import Worker, WorkersStack, read_cpu, read_memory

CONCURRENCY = 8
_SLEEPERS = 6
SETTLING = 20.0
"""Seconds for what follows the start of a worker."""
Figures = dict[str, list[float]]
"""Samples by measure."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of each is done in a repetition. seconds: of idling."""

    runs: Mapping[str, int]
    singles: Mapping[str, int]
    seconds: float
    idle_workers: int = 4


def measure_kind(stack: WorkersStack, kind: str, amounts: Amounts) -> Figures:
    """Take every measure of a kind of worker once, on workers started for it."""
    worker = stack.start_worker(kind, limit=CONCURRENCY)
    try:
        return _measure_worker(stack, worker, kind, amounts)
    finally:
        worker.remove()


def measure_idling(stack: WorkersStack, kind: str, amounts: Amounts) -> Figures:
    """Return what some workers with nothing to do cost the server and its database, in CPU-seconds a minute."""
    with ExitStack() as workers:
        for _ in range(amounts.idle_workers):
            workers.callback(stack.start_worker(kind).remove)
        time.sleep(SETTLING)
        used = _cpu_of(lambda: time.sleep(amounts.seconds), stack.server, stack.database)
    return {"server-idle-cpu": [used * 60 / amounts.seconds]}


def _measure_worker(stack: WorkersStack, worker: Worker, kind: str, amounts: Amounts) -> Figures:
    api = stack.api
    flows = ("add.py:add", "frame.py:total", "libraries.py:learn", "wait.py:wait")
    add, total, learn, wait = (api.deploy(flow, kind) for flow in flows)
    for deployment in (add, total, learn):
        api.finish(api.trigger(deployment), 1)
    return {
        **_measure_throughput(stack, worker, add, amounts.runs[kind]),
        "latency": _measure_reaction(api, add, amounts.singles[kind]),
        "latency-pandas": _measure_reaction(api, total, amounts.singles[kind]),
        "latency-libraries": _measure_reaction(api, learn, amounts.singles[kind]),
        "runs-a-minute-libraries": _measure_throughput(stack, worker, learn, amounts.runs[kind])["runs-a-minute"],
        "memory": [_measure_memory(api, worker, wait)],
    }


def _measure_throughput(stack: WorkersStack, worker: Worker, deployment: str, count: int) -> Figures:
    runs: list[Run] = []

    def run_all() -> None:
        runs.extend(stack.api.finish(stack.api.trigger(deployment, count), count))

    before = read_cpu(worker.container)
    server = _cpu_of(run_all, stack.server, stack.database)
    own = read_cpu(worker.container) - before
    return {
        "runs-a-minute": [per_minute(runs)],
        "runs-a-minute-from-trigger": [per_minute(runs, since=min(run.created for run in runs))],
        "worker-cpu": [own / count],
        "server-cpu": [server / count],
    }


def per_minute(runs: Sequence[Run], since: float | None = None) -> float:
    """Return the runs that ended a minute, from the first start, or another moment, to the last end."""
    first = min(run.started for run in runs) if since is None else since
    return 60 * len(runs) / (max(run.ended for run in runs) - first)


def _measure_reaction(api: Api, deployment: str, count: int) -> list[float]:
    """Return the seconds from trigger to running of runs that are triggered one at a time, off the beat of any poll."""
    latencies = []
    for number in range(count):
        latencies += [run.latency for run in api.finish(api.trigger(deployment), 1, pause=0.5)]
        time.sleep(0.5 + number % 7 * 0.3)
    return latencies


def _measure_memory(api: Api, worker: Worker, deployment: str) -> float:
    """Return the megabytes that each further concurrent run adds, of flows that sleep."""
    tags = [_start_sleepers(api, deployment, 1)]
    one = read_memory(worker.container)
    tags.append(_start_sleepers(api, deployment, _SLEEPERS - 1))
    all_ = read_memory(worker.container)
    worker.remove()
    for tag in tags:
        api.delete(tag)
    return (all_ - one) / (_SLEEPERS - 1)


def _start_sleepers(api: Api, deployment: str, count: int) -> str:
    tag = api.trigger(deployment, count, {"seconds": 600})
    api.wait_for(tag, count, ["RUNNING"], seconds=120, pause=0.5)
    time.sleep(3)  # what it does in the background after its start
    return tag


def _cpu_of(act: Callable[[], object], *containers: Container) -> float:
    before = read_cpu(*containers)
    act()
    return read_cpu(*containers) - before
