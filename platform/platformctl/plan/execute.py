"""From steps to effects. Only this changes the world, and it decides nothing: a step says what is to be done."""

import time

from platformctl.plan.report import Report, StepFailed, StepFinished, StepStarted
from platformctl.plan.step import Plan, Step
from platformctl.plan.world import World


def execute(plan: Plan, world: World, report: Report) -> None:
    """Carry out a plan, step by step; raises PlatformError at the first step that fails. What is done stays done."""
    for number, step in enumerate(plan.steps, 1):
        report(StepStarted(step, number, len(plan.steps)))
        _apply(step, world, report)


def _apply(step: Step, world: World, report: Report) -> None:
    started = time.monotonic()
    try:
        step.change.apply(world)
    except Exception:
        report(StepFailed(step, time.monotonic() - started))
        raise
    report(StepFinished(step, time.monotonic() - started))
