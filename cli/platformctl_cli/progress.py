"""What a person sees while something goes on: a spinner on a terminal, a line a step elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.status import Status as Spinner
from rich.text import Text

from platformctl.plan.report import Announcement, Event, Progress, Report, StepFailed, StepFinished, StepStarted
from platformctl.plan.step import Action, Step
from platformctl_cli.display import out

_DOING = {
    "create": "creating",
    "update": "updating",
    "replace": "replacing",
    "start": "starting",
    "wait": "waiting for",
    "pull": "pulling",
    "build": "building",
    "migrate": "migrating",
    "register": "registering",
    "record": "recording",
    "pause": "pausing",
    "resume": "resuming",
    "drain": "draining",
    "crash": "ending",
    "cancel": "ending",
    "requeue": "rescheduling",
    "remove": "removing",
}


@contextmanager
def progress() -> Iterator[Report]:
    """Yield what shows an execution; a reader that goes away doesn't end it."""
    shown = _Terminal() if out.is_terminal else _Lines()

    def report(event: Event) -> None:
        with suppress(BrokenPipeError):
            shown(event)

    try:
        yield report
    finally:
        shown.close()


class _Lines:
    """A line when a step begins to matter: when it ends, and what is said in between. A drain matters from its start."""

    def __call__(self, event: Event) -> None:
        match event:
            case StepStarted(step) if step.action is Action.DRAIN:
                out.print(f"  {_DOING[step.action]} {step.resource}: {step.cause}", markup=False)
            case StepFinished(step, seconds):
                out.print(_done("ok", step, seconds))
            case StepFailed(step, seconds):
                out.print(_done("failed", step, seconds))
            case Progress(text):
                out.print(f"  {text}", markup=False)
            case Announcement(text):
                out.print(text, markup=False)

    def close(self) -> None:
        """There is nothing to clear."""


class _Terminal:
    """The step under way as a spinner, those that are done as lines above it."""

    def __init__(self) -> None:
        self._spinner = Spinner("", console=out)
        self._text = ""

    def __call__(self, event: Event) -> None:
        match event:
            case StepStarted(step, number, total):
                self._text = f"[{number}/{total}] {_DOING[step.action]} {step.resource}"
                self._show(self._text)
            case StepFinished(step, seconds):
                out.print(_done("✓", step, seconds))
            case StepFailed(step, seconds):
                self._spinner.stop()
                out.print(_done("✗", step, seconds))
            case Progress(text):
                self._show(f"{self._text}  {text}")
            case Announcement(text):
                out.print(text, markup=False)

    def _show(self, text: str) -> None:
        width = max(out.width - 4, 20)
        self._spinner.update(Text(text.strip()[:width], style="cyan"))
        self._spinner.start()

    def close(self) -> None:
        """Take the spinner away."""
        self._spinner.stop()


def _done(mark: str, step: Step, seconds: float) -> Text:
    style = {"✓": "green", "ok": "green"}.get(mark, "red")
    text = Text(f"{mark} ", style=style).append(f"{step.action} {step.resource}", style="default")
    return text.append(f"  {seconds:.1f} s", style="dim").append(f"  {step.cause}", style="dim")
