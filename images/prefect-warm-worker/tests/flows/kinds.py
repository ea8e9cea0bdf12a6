"""Flows of each kind: synchronous, asynchronous and generating, with tasks, runners, flows below them, retries, timeouts."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import FlowRun
from prefect.logging import get_run_logger
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner


@task
def double(number: int) -> int:
    """Double a number."""
    get_run_logger().info("doubling %s", number)
    return number * 2


@task
def where(number: int) -> int:
    """Return the process in which this is run."""
    return os.getpid() * bool(number)


@task(retries=2, retry_delay_seconds=0)
def waver(told: str) -> None:
    """Fail at first."""
    fail_once(told, "task")


def fail_once(told: str, name: str) -> None:
    """Raise an error unless this was called before."""
    mark = Path(told, f"{name} failed")
    if not mark.exists():
        mark.touch()
        raise ValueError(f"the first {name}")


@flow(task_runner=ThreadPoolTaskRunner(max_workers=3))  # type: ignore[arg-type]
def in_threads() -> list[int]:
    """Run tasks in threads."""
    return [future.result() for future in double.map([1, 2, 3])]


@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))  # type: ignore[arg-type]
def in_processes() -> bool:
    """Run tasks in another process."""
    return where.submit(1).result() != os.getpid()


@flow(timeout_seconds=0.5)
def slow() -> None:
    """Take too long."""
    time.sleep(60)


def note(flow: Any, flow_run: FlowRun, state: Any) -> None:  # noqa: ANN401, ARG001  # as Prefect calls it
    """Note a flow run's state in a file, as a hook."""
    Path(str(flow_run.parameters["told"]), f"hook {state.name}").write_text(
        str(os.environ.get("COLOUR")), encoding="utf-8"
    )


@flow(retries=1, retry_delay_seconds=0, log_prints=True, on_completion=[note])
def synchronous(told: str) -> None:
    """Run flows below this one, and fail at first."""
    print("a print")
    waver(told)
    Path(told, "threads").write_text(str(in_threads()), encoding="utf-8")
    fail_once(told, "flow")
    Path(told, "processes").write_text(str(in_processes()), encoding="utf-8")
    Path(told, "slow").write_text(str(slow(return_state=True).name), encoding="utf-8")


@flow(log_prints=True)
async def asynchronous(told: str) -> str:
    """Await a task and consume a generator."""
    print("a print")
    numbers = [number async for number in count()]
    Path(told, "numbers").write_text(str(numbers), encoding="utf-8")
    return "done"


@flow
async def count() -> AsyncIterator[int]:
    """Generate numbers."""
    for number in range(3):
        yield double(number)


@flow
def generate(told: str) -> Iterator[int]:
    """Generate numbers, in this order."""
    for number in range(3):
        Path(told, f"number {number}").touch()
        yield double(number)


@flow(timeout_seconds=1)
def late(told: str) -> None:
    """Take too long."""
    Path(told, "began").touch()
    time.sleep(60)
