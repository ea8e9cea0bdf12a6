"""What a person sees while something goes on: a live line on a terminal, a line a step and now and then elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from rich.status import Status as Spinner
from rich.text import Text

from platformctl.plan.report import Announcement, Event, Progress, Report, StepFailed, StepFinished, StepStarted
from platformctl.plan.step import Action, Step
from platformctl_cli.display import out

Clock = Callable[[], float]

_DOING = {
    "create": "creating",
    "update": "updating",
    "replace": "replacing",
    "start": "starting",
    "wait": "waiting for",
    "pull": "pulling",
    "build": "building",
    "migrate": "migrating",
    "describe": "describing",
    "record": "recording",
    "pause": "pausing",
    "resume": "resuming",
    "drain": "draining",
    "crash": "ending",
    "cancel": "ending",
    "requeue": "rescheduling",
    "remove": "removing",
}
_TICK = 1.0
_REPEAT = 10.0
"""Seconds after which a step that goes on is mentioned, and mentioned again."""


@contextmanager
def progress() -> Iterator[Report]:
    """Yield what shows an execution; a reader that goes away doesn't end it."""
    shown = Terminal() if out.is_terminal else Lines()

    steps: list[StepStarted] = []

    def report(event: Event) -> None:
        steps.extend([event] if isinstance(event, StepStarted) else [])
        with suppress(BrokenPipeError):
            shown(event)

    with _ticking(shown.tick):
        try:
            yield report
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(_where(steps))
            raise
        finally:
            shown.close()


def _where(steps: Sequence[StepStarted]) -> str:
    """Where an execution was interrupted."""
    if not steps:
        return "before its first step"
    step = steps[-1].step
    before = "" if len(steps) == 1 else "; the steps before it are done"
    return f"while {_DOING[step.action]} {step.resource}{before}"


class Doing:
    """What goes on: since when, and what was said of it last. text: of a step; empty outside of steps."""

    def __init__(self, text: str, clock: Clock) -> None:
        self.text, self._clock, self._started = text, clock, clock()
        self._mentioned = self._started
        self.said = ""

    def is_due(self) -> bool:
        """Whether it has gone on for long without being mentioned; then it counts as mentioned."""
        is_due = self._clock() - self._mentioned >= _REPEAT
        self._mentioned = self._clock() if is_due else self._mentioned
        return is_due

    def __str__(self) -> str:
        elapsed = f"{self._clock() - self._started:.0f} s"
        return "  ".join(part for part in (self.text, elapsed, self.said) if part)

    def __rich__(self) -> Text:
        width = max(out.width - 4, 20)
        return Text(str(self)[:width], style="cyan", no_wrap=True)


class Lines:
    """A line when a step ends, and every few seconds while it goes on. A drain matters from its start."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._doing: Doing | None = None

    def __call__(self, event: Event) -> None:
        """Print what is to be printed at once; what a step says waits until it has gone on for long."""
        match event:
            case StepStarted(step):
                self._doing = Doing(f"{_DOING[step.action]} {step.resource}: {step.cause}", self._clock)
                if step.action is Action.DRAIN:
                    out.print(f"  {_DOING[step.action]} {step.resource}: {step.cause}", markup=False)
            case StepFinished(step, seconds):
                self._end("ok", step, seconds)
            case StepFailed(step, seconds):
                self._end("failed", step, seconds)
            case Progress(text) if self._doing and self._doing.text:
                self._doing.said = text
            case Progress(text):
                out.print(f"  {text}", markup=False)
                self._doing = Doing("", self._clock)
                self._doing.said = text
            case Announcement(text):
                out.print(text, markup=False)

    def tick(self) -> None:
        """Mention the step that goes on, if it is time."""
        if (doing := self._doing) and doing.is_due():
            out.print(f"  {doing}", markup=False)

    def close(self) -> None:
        """There is nothing to clear."""

    def _end(self, mark: str, step: Step, seconds: float) -> None:
        self._doing = None
        out.print(_done(mark, step, seconds))


class Terminal:
    """The step under way as a spinner, those that are done as lines above it."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._doing: Doing | None = None
        self._spinner = Spinner("", console=out)

    def __call__(self, event: Event) -> None:
        """Change the spinner, or print a line above it."""
        match event:
            case StepStarted(step, number, total):
                self._show(f"[{number}/{total}] {_DOING[step.action]} {step.resource}")
            case StepFinished(step, seconds):
                self._end("✓", step, seconds)
            case StepFailed(step, seconds):
                self._end("✗", step, seconds)
            case Progress(text):
                doing = self._doing or self._show("")
                doing.said = text
            case Announcement(text):
                out.print(text, markup=False)

    def tick(self) -> None:
        """The spinner counts the seconds by itself."""

    def close(self) -> None:
        """Take the spinner away."""
        self._spinner.stop()

    def _show(self, text: str) -> Doing:
        self._doing = Doing(text, self._clock)
        self._spinner.update(self._doing)
        self._spinner.start()
        return self._doing

    def _end(self, mark: str, step: Step, seconds: float) -> None:
        self._doing = None
        self._spinner.stop()
        out.print(_done(mark, step, seconds))


@contextmanager
def _ticking(tick: Callable[[], None]) -> Iterator[None]:
    """Call something every second, while the body waits for something else."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(_TICK):
            with suppress(BrokenPipeError):
                tick()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _done(mark: str, step: Step, seconds: float) -> Text:
    style = {"✓": "green", "ok": "green"}.get(mark, "red")
    text = Text(f"{mark} ", style=style).append(f"{step.action} {step.resource}", style="default")
    return text.append(f"  {seconds:.1f} s", style="dim").append(f"  {step.cause}", style="dim")
