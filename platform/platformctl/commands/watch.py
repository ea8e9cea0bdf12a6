"""Following a flow run to its end, with what the runs below it write."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platformctl.adapters.prefect.ports import Api, LogLine
from platformctl.model.observed import FlowRun
from platformctl.model.runs import FINAL

_PAUSE = 0.5
_SETTLE = 4.0
"""Seconds that the last log lines of a run may take to arrive after its end: Prefect sends them in batches."""
_NAMELESS = timedelta(seconds=4)
"""How long a line waits for the name of its task run, which Prefect records a little after it begins."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A flow run took a state."""

    run: FlowRun


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A log line, and who wrote it: a sub-flow run, a task run, or SUB-FLOW/TASK; empty for the run that is followed."""

    line: LogLine
    writer: str


def watch_run(api: Api, run: FlowRun) -> Iterator[NamedLine | StateChange]:
    """Yield the states of a run, and its log lines with those of the runs below it, until it has ended and its log is complete."""
    log, seen, ended = _Log(api, run), "", 0.0
    while True:
        run = api.run(run.id)
        has_ended = run.state_type in FINAL
        ended = ended or (time.monotonic() if has_ended else 0.0)
        is_late = has_ended and time.monotonic() - ended > _SETTLE
        log.read()
        yield from log.new_lines(may_lack_names=is_late)
        if is_late or (has_ended and log.is_complete(run)):
            yield StateChange(run)
            return
        if not has_ended and run.state_name != seen:
            seen = run.state_name
            yield StateChange(run)
        time.sleep(_PAUSE)


def read_log(api: Api, run: FlowRun) -> Iterator[NamedLine]:
    """Yield the log lines that are there of a run and of the runs below it, in the order of their times."""
    log = _Log(api, run)
    log.read()
    yield from log.new_lines(may_lack_names=True)


class _Log:
    """The log of a run and of those below it, as it is read again and again."""

    def __init__(self, api: Api, run: FlowRun) -> None:
        self._api, self._root = api, run.id
        self._below: dict[str, FlowRun] = {}
        self._tasks: dict[str, str] = {}
        self._lines: list[LogLine] = []
        self._shown: set[str] = set()

    def read(self) -> None:
        """Read the runs, the lines, and the names of the tasks that wrote them."""
        self._read_runs()
        self._lines = self._api.logs({self._root, *self._below})
        if nameless := {line.task for line in self._lines if line.task} - self._tasks.keys():
            self._tasks |= self._api.task_names(nameless)

    def new_lines(self, *, may_lack_names: bool) -> Iterator[NamedLine]:
        """Yield what wasn't yielded yet, in the order of times: a line waits for the name of its task, and the others behind it."""
        for line in self._lines:
            if line.id not in self._shown:
                if not may_lack_names and self._may_get_name(line):
                    return
                self._shown.add(line.id)
                yield NamedLine(line, self._writer(line))

    def is_complete(self, root: FlowRun) -> bool:
        """Whether the last line of each run that has ended is there, and every line was yielded."""
        ended = {run.id for run in (root, *self._below.values()) if run.state_type in FINAL}
        has_all = ended <= {line.run for line in self._lines if line.ends_run}
        return has_all and self._shown.issuperset(line.id for line in self._lines)

    def _read_runs(self) -> None:
        """Read the runs below, level by level: once more where that shows new ones, which may have some below them."""
        known = -1
        while known != len(self._below):
            known = len(self._below)
            self._below |= {run.id: run for run in self._api.child_runs({self._root, *self._below})}

    def _may_get_name(self, line: LogLine) -> bool:
        return bool(line.task) and line.task not in self._tasks and datetime.now(UTC) - line.time < _NAMELESS

    def _writer(self, line: LogLine) -> str:
        run = [] if line.run == self._root else [self._below[line.run].name]
        task = [self._tasks.get(line.task, "a task")] if line.task else []
        return "/".join((*run, *task))
