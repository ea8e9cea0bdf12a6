"""A command is phases: what one has changed is observed before the next one is worked out."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest

from platformctl.errors import ServiceError
from platformctl.model.observed import Observed
from platformctl.plan import execute as execution
from platformctl.plan.phases import Phase, plan_phases, run_phases
from platformctl.plan.report import Event, StepFailed, StepFinished, StepStarted
from platformctl.plan.step import Action, Plan, Step
from platformctl.plan.world import World
from worlds import nothing

WORLD = cast("World", object())  # these changes have a world of their own


@dataclass(frozen=True)
class Write:
    """Write a file of a pretended world."""

    needs_client: ClassVar[bool] = False
    name: str
    done: list[str] = field(default_factory=list)

    def apply(self, world: World) -> None:
        assert world is WORLD
        if self.name == "broken":
            raise ServiceError("It is broken.", remedy="Mend it.")
        self.done.append(self.name)


class Pretended:
    """A world of file names. seen: how often it was looked at."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.events: list[Event] = []
        self.seen = 0

    def observe(self) -> Observed:
        self.seen += 1
        return replace(nothing(), changed_files=tuple(self.files))

    def phase(self, name: str, *, after: str = "") -> Phase:
        """A phase that writes a file where it isn't there, once another one is."""

        def reconcile(observed: Observed) -> Iterator[Step]:
            if name not in observed.changed_files and (not after or after in observed.changed_files):
                yield Step(name, Action.CREATE, "not there", Write(name, self.files))

        return Phase(name, reconcile)

    def run(self, *phases: Phase) -> list[str]:
        """Carry out phases, and return the resources of the steps that were taken."""
        done = run_phases(phases, self.observe(), self.observe, WORLD, self.events.append)
        return [step.resource for step in done.steps]


def test_a_phase_sees_what_the_one_before_has_done() -> None:
    pretended = Pretended()

    assert pretended.run(pretended.phase("server"), pretended.phase("pool", after="server")) == ["server", "pool"]


def test_nothing_is_observed_again_where_nothing_was_done() -> None:
    pretended = Pretended()
    pretended.files = ["server", "pool"]

    assert pretended.run(pretended.phase("server"), pretended.phase("pool")) == []
    assert pretended.seen == 1


def test_nothing_is_observed_behind_the_last_phase() -> None:
    pretended = Pretended()

    pretended.run(pretended.phase("server"))

    assert pretended.seen == 1


def test_a_preview_lists_what_two_phases_would_do_once() -> None:
    pretended = Pretended()
    phase = pretended.phase("server")

    assert [step.resource for step in plan_phases([phase, phase], pretended.observe()).steps] == ["server"]


def test_a_step_that_fails_ends_the_command_and_is_told() -> None:
    pretended = Pretended()

    with pytest.raises(ServiceError, match="It is broken"):
        pretended.run(pretended.phase("server"), pretended.phase("broken"), pretended.phase("pool"))

    assert pretended.files == ["server"]
    assert [type(event) for event in pretended.events] == [StepStarted, StepFinished, StepStarted, StepFailed]


def test_each_step_is_told_with_its_number_and_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, events = iter([100.0, 102.5, 110.0, 111.0]), list[Event]()
    monkeypatch.setattr(execution, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    done, broken = (Step(name, Action.CREATE, "not there", Write(name)) for name in ("server", "broken"))

    with pytest.raises(ServiceError):
        execution.execute(Plan((done, broken)), WORLD, events.append)

    assert events == [
        StepStarted(done, 1, 2),
        StepFinished(done, 2.5),
        StepStarted(broken, 2, 2),
        StepFailed(broken, 1.0),
    ]
