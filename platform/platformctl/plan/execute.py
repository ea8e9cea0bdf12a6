"""From steps to effects. Only this changes the world, and it decides nothing: a step says what is to be done."""

import functools
import threading
import time
from collections.abc import Mapping

from platformctl.adapters.prefect.ports import Api, Client
from platformctl.errors import ServerError
from platformctl.plan.connections import Connections
from platformctl.plan.drain import pause_pool, resume_pool, unfinished_runs, wait_for_runs
from platformctl.plan.ready import await_service, await_workers
from platformctl.plan.reconcile_prefect import lost_run_step
from platformctl.plan.report import Note, Report, StepFailed, StepFinished, StepStarted
from platformctl.plan.step import (
    AddJobVariables,
    AwaitWorkers,
    BuildImage,
    Change,
    CrashRun,
    CreatePool,
    Plan,
    PullImage,
    RegisterDeployments,
    RemoveInstances,
    RemoveNetwork,
    RemoveVolume,
    RequeueRun,
    ResumeDrained,
    SetZombieAutomation,
    StartService,
    StartWorkers,
    Step,
    StopWorkers,
    UpdatePool,
    WriteBundle,
    WriteSecrets,
)
from platformctl.runtimes.runtime import BuildOptions, Runtime
from platformctl.spec.load import Project
from platformctl.stack.bundle import write_bundle
from platformctl.stack.warm import STOP_MARGIN
from platformctl.state.build_secrets import build_secrets
from platformctl.state.secrets import write_secrets

_KILL_AFTER = 10
"""Seconds that a worker without flow runs gets to end."""
_NEEDS_CLIENT = (CreatePool, UpdatePool, AddJobVariables, SetZombieAutomation, RegisterDeployments)


def execute(plan: Plan, project: Project, connections: Connections, runtime: Runtime, report: Report) -> None:
    """Carry out a plan, step by step; raises PlatformError at the first step that fails. What is done stays done."""
    executor = _Executor(project, connections, runtime, report)
    if any(isinstance(step.change, _NEEDS_CLIENT) for step in plan.steps):
        preload(connections)
    for number, step in enumerate(plan.steps, 1):
        report(StepStarted(step, number, len(plan.steps)))
        _run(executor, step, report)


def preload(connections: Connections) -> None:
    """Load Prefect's client from a thread, so that it is there once the server is."""
    threading.Thread(target=connections.preload, daemon=True).start()


def _run(executor: "_Executor", step: Step, report: Report) -> None:
    started = time.monotonic()
    try:
        executor.apply(step.change)
    except BaseException:
        report(StepFailed(step, time.monotonic() - started))
        raise
    report(StepFinished(step, time.monotonic() - started))


class _Executor:
    def __init__(self, project: Project, connections: Connections, runtime: Runtime, report: Report) -> None:
        self._project, self._connections, self._runtime, self._report = project, connections, runtime, report

    @functools.cached_property
    def _api(self) -> Api:
        api = self._connections.api(self._project)
        if api is None:
            raise ServerError(f"There are no secrets in {self._project.secrets} yet.", remedy="Type `platformctl up`.")
        return api

    @functools.cached_property
    def _client(self) -> Client:
        return self._connections.client(self._project)

    def apply(self, change: Change) -> None:  # noqa: PLR0912  # one line a change: a table, as a match
        """Make one change."""
        match change:
            case WriteSecrets():
                write_secrets(self._project)
            case WriteBundle(bundle):
                write_bundle(bundle, self._project.bundle)
            case PullImage(image):
                self._runtime.pull(image)
            case BuildImage(image):
                self._runtime.build(image, BuildOptions(build_secrets(self._project)), self._note)
            case StartService(service, recreate):
                self._runtime.start([service.name], recreate=recreate)
                await_service(self._runtime, service)
            case CreatePool(pool):
                self._client.create_pool(pool)
            case UpdatePool(name, changes):
                self._client.update_pool(name, changes)
            case AddJobVariables(name, variables):
                self._client.add_job_variables(name, variables)
            case ResumeDrained(pool):
                resume_pool(self._api, self._project.state, pool)
            case SetZombieAutomation(within):
                self._client.set_zombie_automation(within)
            case StopWorkers():
                self._stop_workers(change)
            case StartWorkers(services, replaced):
                if replaced:
                    self._stop_workers(replaced)
                self._runtime.start([service.name for service in services])
            case AwaitWorkers(services):
                await_workers(self._runtime, self._api, services, self._note)
            case CrashRun(run, message):
                self._api.crash_run(run.id, message)
            case RequeueRun(run):
                self._api.requeue_run(run.id)
            case RegisterDeployments(image, digests):
                self._register(image, digests)
            case RemoveInstances(instances, grace):
                self._runtime.stop(instances, grace=grace)
            case RemoveNetwork(name):
                self._runtime.remove_network(name)
            case RemoveVolume(name):
                self._runtime.remove_volume(name)

    def _note(self, text: str) -> None:
        self._report(Note(text))

    def _stop_workers(self, change: StopWorkers) -> None:
        """Drain and remove workers; the rows of those that won't come back go too."""
        if running := unfinished_runs(self._api, change.workers):
            self._note(f"{change.grace} s to finish for {', '.join(run.name for run in running)}")
        if change.drains:
            self._runtime.stop(change.workers, grace=change.grace + STOP_MARGIN)
        else:
            self._drain(change)
        for run in unfinished_runs(self._api, change.workers):
            cause = f"its worker {run.worker} was stopped, {change.grace} s of grace were over"
            self._note(f"{run.name}: {cause}")
            self.apply(lost_run_step(run, cause, is_rescheduled=change.is_rescheduled).change)
        for worker in change.workers if change.is_final else ():
            self._api.delete_worker(change.pool, worker)
        resume_pool(self._api, self._project.state, change.pool)

    def _drain(self, change: StopWorkers) -> None:
        """Stop workers that would kill their flow runs once those are done, or their grace is over."""
        pause_pool(self._api, self._project.state, change.pool)
        wait_for_runs(self._api, change.workers, seconds=change.grace)
        self._runtime.stop(change.workers, grace=_KILL_AFTER)

    def _register(self, image: str, digests: Mapping[str, str]) -> None:
        self._runtime.register(image)
        self._client.set_registered({**self._api.observe().registered, **digests})
