"""Flow runs whose worker is gone: their process died with it, and Prefect would call them running for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import FlowRun, Instance, Observed
from platformctl.model.spec import Pool
from platformctl.plan.step import Action, Step
from platformctl.plan.world import World
from platformctl.spec.load import Project
from prefect_warm_worker.contract import LostRunOutcome, decide_lost_run, lost_run_message

_ACTIONS = {
    LostRunOutcome.REQUEUE: Action.REQUEUE,
    LostRunOutcome.CANCEL: Action.CANCEL,
    LostRunOutcome.CRASH: Action.CRASH,
}


@dataclass(frozen=True, slots=True)
class SettleRun:
    """End a flow run or schedule it again, while it is in the state that was judged. run, state: ids. message: why."""

    needs_client: ClassVar[bool] = False
    run: str
    state: str
    outcome: str
    message: str

    def apply(self, world: World) -> None:
        """Set its state."""
        world.api.settle_run(self.run, self.state, LostRunOutcome(self.outcome), self.message)


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
    outcome = decide_lost_run(run.state_type, pool.on_stop if pool else "finish")
    change = SettleRun(run.id, run.state, outcome.value, lost_run_message(cause))
    return Step(f"run {run.name}", _ACTIONS[outcome], cause, change)


def _why_lost(run: FlowRun, instance: Instance | None) -> str | None:
    if instance is None:
        return f"its worker {run.worker} is gone"
    if not instance.is_alive:
        return f"its worker {run.worker} does not run"
    if instance.started > run.since:
        return f"its worker {run.worker} restarted at {instance.started:%H:%M:%S} UTC"
    return None
