"""Flow runs whose worker is gone: their process died with it, and Prefect would call them running for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import FlowRun, Instance, Observed
from platformctl.model.spec import Pool
from platformctl.plan.step import Action, Change, Step
from platformctl.plan.world import World
from platformctl.spec.load import Project
from prefect_warm_worker.contract import LostRunOutcome, decide_lost_run, lost_run_message


@dataclass(frozen=True, slots=True)
class CrashRun:
    """Mark a flow run Crashed. run: its id. message: why."""

    needs_client: ClassVar[bool] = False
    run: str
    message: str

    def apply(self, world: World) -> None:
        """Set its state."""
        world.api.crash_run(self.run, self.message)


@dataclass(frozen=True, slots=True)
class CancelRun:
    """Mark a flow run Cancelled. run: its id. message: why."""

    needs_client: ClassVar[bool] = False
    run: str
    message: str

    def apply(self, world: World) -> None:
        """Set its state."""
        world.api.cancel_run(self.run, self.message)


@dataclass(frozen=True, slots=True)
class RequeueRun:
    """Schedule a flow run again. run: its id."""

    needs_client: ClassVar[bool] = False
    run: str

    def apply(self, world: World) -> None:
        """Set its state."""
        world.api.requeue_run(self.run)


def lost_run_steps(project: Project, observed: Observed) -> Iterator[Step]:
    """End or schedule again the flow runs whose worker is gone or has started anew since. Workers of others are not judged."""
    prefix = f"{project.spec.platform.name}-worker-"
    instances = {instance.name: instance for instance in observed.machine.instances}
    for run in observed.prefect.runs if observed.prefect else ():
        worker = run.worker or ""
        if worker.startswith(prefix) and (cause := _why_lost(run, instances.get(worker))):
            yield _lost_run_step(run, cause, project.spec.pools.get(run.pool or ""))


def _lost_run_step(run: FlowRun, cause: str, pool: Pool | None) -> Step:
    """pool: None where platform.toml has it no more."""
    action, change = _lost_run_change(run, cause, pool)
    return Step(f"run {run.name}", action, cause, change)


def _lost_run_change(run: FlowRun, cause: str, pool: Pool | None) -> tuple[Action, Change]:
    message = lost_run_message(cause)
    match decide_lost_run(run.state_type, pool.on_stop if pool else "finish"):
        case LostRunOutcome.REQUEUE:
            return Action.REQUEUE, RequeueRun(run.id)
        case LostRunOutcome.CANCEL:
            return Action.CANCEL, CancelRun(run.id, message)
        case LostRunOutcome.CRASH:
            return Action.CRASH, CrashRun(run.id, message)


def _why_lost(run: FlowRun, instance: Instance | None) -> str | None:
    if instance is None:
        return f"its worker {run.worker} is gone"
    if instance.status != "running":
        return f"its worker {run.worker} does not run"
    if instance.started > run.since:
        return f"its worker {run.worker} restarted at {instance.started:%H:%M:%S} UTC"
    return None
