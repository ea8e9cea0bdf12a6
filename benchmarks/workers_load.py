"""What becomes of many queued runs on several workers, and what the server does meanwhile."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

from workers_api import Run
from workers_goals import p95
from workers_measures import CONCURRENCY, per_minute
from workers_stack import WorkersStack, read_cpu

_TOP_STATEMENTS = """
    select round(total_exec_time)::text || '|' || calls::text || '|' || left(regexp_replace(query, '\\s+', ' ', 'g'), 140)
    from pg_stat_statements order by total_exec_time desc limit 12
"""


@dataclass(frozen=True, slots=True)
class Load:
    """So many runs, queued at once for so many workers."""

    variant: str
    kind: str
    workers: int
    runs: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a load. cpu: of a run, in seconds; latencies: from trigger to running, in seconds."""

    load: Load
    runs_a_minute: float
    latency_p50: float
    latency_p95: float
    worker_cpu: float
    server_cpu: float
    database_cpu: float
    seconds: float


def measure_load(stack: WorkersStack, load: Load) -> Outcome:
    """Queue the runs, and wait until all of them have ended."""
    with ExitStack() as left:
        workers = [stack.start_worker(load.kind, limit=CONCURRENCY) for _ in range(load.workers)]
        for worker in workers:
            left.callback(worker.remove)
        deployment = stack.api.deploy("add.py:add", load.kind)
        stack.api.finish(stack.api.trigger(deployment, load.workers), load.workers)
        containers = [stack.server, stack.database, *(worker.container for worker in workers)]
        before = [read_cpu(container) for container in containers]
        runs = stack.api.finish(stack.api.trigger(deployment, load.runs), load.runs, pause=2.0)
        used = [read_cpu(container) - was for container, was in zip(containers, before, strict=True)]
        return _outcome(load, runs, used)


def read_statements(stack: WorkersStack) -> list[tuple[float, int, str]]:
    """Return what the database has spent its time on: milliseconds, calls, statement."""
    words = ["psql", "--username", "prefect", "--dbname", "prefect", "--tuples-only", "--no-align", "--command"]
    stack.database.exec_run([*words, "create extension if not exists pg_stat_statements"])
    said = cast("bytes", stack.database.exec_run([*words, _TOP_STATEMENTS]).output).decode()
    rows = [line.split("|", 2) for line in said.splitlines() if line.count("|") >= 2]
    return [(float(spent), int(calls), statement) for spent, calls, statement in rows]


def _outcome(load: Load, runs: list[Run], used: list[float]) -> Outcome:
    latencies = sorted(run.latency for run in runs)
    first = min(run.created for run in runs)
    return Outcome(
        load,
        per_minute(runs, since=first),
        latencies[len(latencies) // 2],
        p95(latencies),
        sum(used[2:]) / len(runs),
        used[0] / len(runs),
        used[1] / len(runs),
        max(run.ended for run in runs) - first,
    )
