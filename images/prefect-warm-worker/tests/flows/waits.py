"""Flows that wait, and are stopped, lost or limited meanwhile."""

import logging
import os
import time
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import FlowRun


def note(flow: Any, flow_run: FlowRun, state: Any) -> None:  # noqa: ANN401, ARG001  # as Prefect calls it
    """Note that a hook was run."""
    Path(str(flow_run.parameters["told"]), f"hook {state.name}").touch()


@flow(on_cancellation=[note], on_crashed=[note])
def nap(told: str, seconds: float) -> None:
    """Note that it began, and by which process, and wait."""
    with Path(told, "began").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)


@flow(log_prints=True)
def talk(told: str, seconds: int) -> None:
    """Say something each second."""
    Path(told, "began").touch()
    for second in range(seconds):
        print(f"second {second}")
        time.sleep(1)


@task
def wait() -> None:
    """Wait: before and after a task a flow heeds that it was suspended."""
    time.sleep(0.25)


@flow
def interrupted(told: str) -> None:
    """Go on until it is suspended; when it is resumed, end. How many tasks it had by then is nobody's business."""
    logging.getLogger("prefect.task_runs").setLevel(logging.ERROR)
    if not Path(told, "began").exists():
        Path(told, "began").touch()
        while True:
            wait()


@flow
def below(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


@flow
def above(told: str, seconds: float) -> None:
    """Wait in a flow within a flow."""
    Path(told, "began").touch()
    below(seconds)


@flow(on_crashed=[note])
def eat(told: str, mebibytes: int) -> None:
    """Take memory and keep it."""
    Path(told, "began").touch()
    eaten = bytearray(b"x") * (mebibytes << 20)
    time.sleep(60)
    print(len(eaten))
