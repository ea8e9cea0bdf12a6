"""What is shown of a step that goes on for long, on a terminal and elsewhere."""

from io import StringIO

import pytest
from rich.console import Console

from platformctl.plan.report import Announcement, Progress, StepFailed, StepFinished, StepStarted
from platformctl.plan.resources.image import PullImage
from platformctl.plan.step import Action, Step
from platformctl_cli import progress
from platformctl_cli.progress import Lines, Terminal

_STEP = Step("schema", Action.WAIT, "to be done", PullImage("postgres:17"))


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    """Record what is printed; 80 columns of a terminal."""
    found = Console(width=80, force_terminal=True, color_system=None, record=True, file=StringIO(), soft_wrap=True)
    monkeypatch.setattr(progress, "out", found)
    return found


def test_a_short_step_is_one_line(console: Console, clock: _Clock) -> None:
    shown = Lines(clock)
    shown(StepStarted(_STEP, 1, 2))
    shown(Progress("0 of 1 online"))
    shown.tick()
    shown(StepFinished(_STEP, 0.4))
    assert console.export_text() == "ok wait schema  0.4 s  to be done\n"


def test_a_long_step_is_mentioned_every_ten_seconds_with_what_it_said_last(console: Console, clock: _Clock) -> None:
    shown = Lines(clock)
    shown(StepStarted(_STEP, 1, 2))
    for second in range(1, 26):
        clock.now = 100.0 + second
        shown(Progress(f"line {second}"))
        shown.tick()
    shown(StepFailed(_STEP, 25.0))
    shown.tick()
    assert console.export_text().splitlines() == [
        "  waiting for schema: to be done  10 s  line 10",
        "  waiting for schema: to be done  20 s  line 20",
        "failed wait schema  25.0 s  to be done",
    ]


def test_what_is_said_outside_of_steps_is_printed_at_once(console: Console, clock: _Clock) -> None:
    shown = Lines(clock)
    shown(Progress("waits for `platformctl up`"))
    shown(Announcement("No Docker engine answers."))
    assert console.export_text().splitlines() == ["  waits for `platformctl up`", "No Docker engine answers."]


def test_what_is_waited_for_outside_of_steps_is_said_again(console: Console, clock: _Clock) -> None:
    shown = Lines(clock)
    shown(Progress("one"))
    clock.now += 3
    shown(Progress("two"))
    clock.now += 10
    shown.tick()
    shown(StepStarted(_STEP, 1, 1))
    shown.tick()
    assert console.export_text().splitlines() == ["  one", "  two", "  10 s  two"]


def test_a_terminal_has_a_live_line_with_the_seconds_and_the_last_words(console: Console, clock: _Clock) -> None:
    shown = Terminal(clock)
    shown(StepStarted(_STEP, 7, 16))
    clock.now += 42
    shown(Progress("Running upgrade [a] -> b " + "x" * 80))
    live = shown._spinner.renderable.render(0.0)
    shown.close()
    with console.capture() as captured:
        console.print(live)
    (line,) = captured.get().splitlines()
    assert "[7/16] waiting for schema  42 s  Running upgrade [a] -> b xxx" in line
    assert len(line.rstrip()) <= 80


def test_a_step_that_is_done_leaves_no_live_line_behind(console: Console, clock: _Clock) -> None:
    shown = Terminal(clock)
    shown(StepStarted(_STEP, 1, 1))
    shown(StepFinished(_STEP, 3.0))
    assert not shown._spinner._live.is_started
    assert "✓ wait schema  3.0 s  to be done" in console.export_text()
