"""Carrying out a command in phases: what one has changed is observed before the next one is worked out.

What Prefect holds can't be compared before its server answers, and which runs a stopped worker left is known only once it is gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from platformctl.model.observed import Observed
from platformctl.plan.execute import execute
from platformctl.plan.report import Report
from platformctl.plan.step import Plan, Step, Steps
from platformctl.plan.world import World


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a command. reconcile: from what is there to what is to be done about it, a pure function."""

    name: str
    reconcile: Callable[[Observed], Steps]


def plan_phases(phases: Sequence[Phase], observed: Observed) -> Plan:
    """Return what all phases would do by what is there now; what only later phases can see isn't in it."""
    steps: list[Step] = []
    for phase in phases:
        steps += [step for step in phase.reconcile(observed) if step not in steps]  # by then it would be done
    return Plan(tuple(steps))


def run_phases(
    phases: Sequence[Phase], observed: Observed, observe: Callable[[], Observed], world: World, report: Report
) -> Plan:
    """Carry out phases one after the other, and return all that was done. observed: what is there before the first one.

    A phase that has nothing to do changes nothing, so the next one goes by the same observation.
    """
    done, seen = Plan(), observed
    for phase in phases:
        plan = Plan(tuple(phase.reconcile(seen)))
        if plan.has_changes:
            execute(plan, world, report)
            done = Plan((*done.steps, *plan.steps))
            seen = observe() if phase is not phases[-1] else seen
    return done
