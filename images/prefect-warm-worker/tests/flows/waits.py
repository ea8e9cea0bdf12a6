"""Flows that wait, and are stopped, lost or limited meanwhile."""

import os
import time
from pathlib import Path
from typing import Any

from prefect import flow
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
