"""A run's pull steps send their events by the connection of its engine, and wait until they are sent."""

import asyncio
import queue
import threading
from typing import Any
from uuid import uuid4

import pytest
from prefect.deployments.steps import core
from prefect.events import Event
from prefect.events.worker import EventsWorker

from prefect_warm_worker._prefect.one_connection import share_connection


class Connection:
    """What sends events in the background."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Event] = queue.Queue()
        self._stopped = False
        self.sent: list[Event] = []

    def send(self, event: Event) -> None:
        self._queue.put(event)

    def work(self) -> None:
        """Send one event."""
        self.sent.append(self._queue.get())
        self._queue.task_done()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    connection = Connection()
    monkeypatch.setitem(vars(core), "get_events_client", None)  # to have Prefect's own one again
    monkeypatch.setattr(EventsWorker, "instance", lambda: connection)
    share_connection()
    return connection


class Log:
    """A logger."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, message: str, *args: object) -> None:
        self.warnings.append(message % args)


def emit(log: Log) -> None:
    """End a pull step."""
    run: Any = type("Run", (), {"id": uuid4()})
    asyncio.run(core._emit_pull_step_event({"index": 0}, event_type="executed", flow_run=run, logger=log))


def test_a_pull_step_goes_on_once_its_event_is_sent(connection: Connection) -> None:
    log, working = Log(), threading.Thread(target=connection.work)
    working.start()
    emit(log)
    assert [event.event for event in connection.sent] == ["executed"]
    assert log.warnings == []
    working.join()


def test_a_pull_step_whose_event_is_refused_says_so_and_goes_on(connection: Connection) -> None:
    connection._stopped = True
    log = Log()
    emit(log)
    assert connection.sent == []
    [warning] = log.warnings
    assert warning.startswith("Failed to emit pull-step event for flow run ")
