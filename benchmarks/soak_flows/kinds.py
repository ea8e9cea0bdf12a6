"""The kinds of flow runs of a soak. Each notes in a journal when it is at work, so that what ran twice can be counted."""

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import flow, get_run_logger, pause_flow_run, suspend_flow_run, task
from prefect.concurrency.sync import concurrency
from prefect.runtime import flow_run

JOURNAL = Path("/var/lib/prefect/results/journal")
_BEAT = 0.5


@contextmanager
def at_work() -> Iterator[None]:
    """Note the beginning of the body, that it goes on, and its end, where nothing cuts it short."""
    execution, ended = uuid.uuid4().hex, threading.Event()

    def note(word: str) -> None:
        line = f"{time.time():.2f} {flow_run.id} {execution} {word}\n"
        journal = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(journal, line.encode())
        os.close(journal)

    def beat(run: str) -> None:
        while not ended.wait(_BEAT):
            journal = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND)
            os.write(journal, f"{time.time():.2f} {run} {execution} beat\n".encode())
            os.close(journal)

    note("begin")
    threading.Thread(target=beat, args=(flow_run.id,), daemon=True).start()
    try:
        yield
        note("end")
    finally:
        ended.set()


def pass_time(seconds: float) -> None:
    """Log a line every second."""
    for second in range(int(seconds)):
        get_run_logger().info("second %s", second)
        time.sleep(1)


@task
def double(value: int) -> int:
    time.sleep(1)
    return 2 * value


@flow
def part(number: int) -> int:
    time.sleep(2)
    return number


@flow
def short() -> None:
    with at_work():
        pass


@flow
def long() -> None:
    with at_work():
        pass_time(40)


@flow
def tasks() -> None:
    with at_work():
        assert [future.result() for future in [double.submit(number) for number in range(4)]] == [0, 2, 4, 6]


@flow
def subflows() -> None:
    with at_work():
        assert [part(number) for number in range(4)] == [0, 1, 2, 3]


@flow
def limited() -> None:
    with at_work(), concurrency("narrow", strict=True, lease_duration=60):
        pass_time(8)


@flow
def queued() -> None:
    with at_work():
        pass_time(5)


@flow(retries=2, retry_delay_seconds=8)
def retried() -> None:
    with at_work():
        pass_time(2)
        if flow_run.run_count < 2:
            raise ValueError("the first attempt fails")


@flow
def suspended() -> None:
    with at_work():
        suspend_flow_run(timeout=7200, key="once")
        pass_time(2)


@flow
def paused() -> None:
    with at_work():
        pause_flow_run(timeout=7200, key="once")
        pass_time(2)


@flow
def cancelled() -> None:
    with at_work():
        pass_time(7200)


@flow
def failing() -> None:
    with at_work():
        raise ValueError("it was made to fail")


@flow
def scheduled() -> None:
    with at_work():
        pass_time(3)
