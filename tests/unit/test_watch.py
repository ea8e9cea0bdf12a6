"""What is shown of a flow run that is followed."""

from datetime import UTC, datetime, timedelta

import pytest

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.adapters.prefect.ports import LogLine
from platformctl.commands import watch
from platformctl.commands.watch import NamedLine, StateChange, watch_run
from platformctl.model.observed import FlowRun

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_END = "Finished in state Completed()"


def _run(id_: str, state: str = "COMPLETED") -> FlowRun:
    return FlowRun(id_, f"name-of-{id_}", state, state.capitalize(), _NOON, None, None)


def _line(second: int, run: str, text: str, task: str | None = None) -> LogLine:
    ends_run = task is None and text == _END
    return LogLine(f"line-{second}", _NOON + timedelta(seconds=second), 20, text, run, task, ends_run=ends_run)


@pytest.fixture
def prefect() -> FakePrefect:
    """Give a run that has ended, one below it, and one below that, each with a task."""
    found = FakePrefect(is_up=True, flow_runs={id_: _run(id_) for id_ in ("top", "middle", "deep", "stranger")})
    found.parents = {"middle": "top", "deep": "middle"}
    found.tasks = {"t-top": "extract-0", "t-deep": "load-0"}
    found.log_lines = [
        _line(9, "top", _END),
        _line(8, "middle", _END),
        _line(7, "deep", _END),
        _line(6, "deep", _END, "t-deep"),
        _line(5, "stranger", "not of this run"),
        _line(2, "top", _END, "t-top"),
        _line(1, "top", "begins"),
    ]
    return found


def _watched(prefect: FakePrefect) -> list[tuple[str, str]]:
    found = [item for item in watch_run(prefect, prefect.flow_runs["top"]) if isinstance(item, NamedLine)]
    return [(item.writer, item.line.text) for item in found]


def test_lines_of_all_runs_below_come_in_order_with_who_wrote_them(prefect: FakePrefect) -> None:
    assert _watched(prefect) == [
        ("", "begins"),
        ("extract-0", _END),
        ("name-of-deep/load-0", _END),
        ("name-of-deep", _END),
        ("name-of-middle", _END),
        ("", _END),
    ]


def test_the_end_is_shown_last_and_once(prefect: FakePrefect) -> None:
    *_, last = found = list(watch_run(prefect, prefect.flow_runs["top"]))
    assert last == StateChange(prefect.flow_runs["top"])
    assert sum(isinstance(item, StateChange) for item in found) == 1


class _Late(FakePrefect):
    """A server that has the names of tasks, and the last line of a run below, only when it is asked again."""

    asked = 0

    def task_names(self, tasks: object) -> dict[str, str]:
        self.asked += 1
        return dict(self.tasks) if self.asked > 1 else {}

    def logs(self, runs: object) -> list[LogLine]:
        found = super().logs(runs)  # type: ignore[arg-type]  # as it is asked
        return found if self.asked else [line for line in found if line.run != "middle"]


def test_a_line_waits_for_the_name_of_its_task_and_those_behind_it_too(
    prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_PAUSE", 0.0)
    monkeypatch.setattr(watch, "_NAMELESS", timedelta(days=100_000))
    late = _Late(is_up=True, flow_runs=prefect.flow_runs, parents=prefect.parents, tasks=prefect.tasks)
    late.log_lines = prefect.log_lines

    assert _watched(late) == _watched(prefect)


def test_a_task_whose_name_never_comes_hides_nothing(prefect: FakePrefect) -> None:
    prefect.tasks.clear()
    assert ("name-of-deep/a task", _END) in _watched(prefect)


def test_a_run_below_that_goes_on_is_not_waited_for(prefect: FakePrefect) -> None:
    prefect.flow_runs["deep"] = _run("deep", "RUNNING")
    prefect.log_lines = [line for line in prefect.log_lines if line.run != "deep"]
    assert _watched(prefect)[-1] == ("", _END)
