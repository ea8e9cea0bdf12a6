"""Waiting until what was started does what it is for, and saying what went wrong where it doesn't."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platformctl.adapters.prefect.ports import Api
from platformctl.errors import ServiceError
from platformctl.model.observed import Instance, Worker
from platformctl.runtimes.runtime import Runtime
from platformctl.waiting import wait_until

_SERVICE_SECONDS, _MIGRATION_SECONDS, _WORKERS_SECONDS = 180.0, 7200.0, 180.0
_NOTE_SECONDS = 5.0
"""How often it is said what is waited for: to know it, the engine is asked."""
_SKEW = timedelta(seconds=2)
"""How far the clock of a container's engine and Prefect's may be apart."""
_CRASHES = 3
"""How often an instance may be restarted before it counts as failed: the first time may be its neighbours' fault."""


@dataclass(frozen=True, slots=True)
class WorkerName:
    """A worker: its service, what runs it, which is its name in Prefect too, and its pool."""

    service: str
    instance: str
    pool: str


def await_service(  # noqa: PLR0913  # what is waited for, and how
    runtime: Runtime,
    service: str,
    instance: str,
    note: Callable[[str], None],
    *,
    is_oneshot: bool,
    seconds: float | None = None,
) -> None:
    """Wait until a service is healthy, or a one-shot completed; raises ServiceError with its last lines.

    instance: the name of what runs it. note: told the last line that it wrote, now and then. seconds: how long it may take;
    what such a service needs at most, where it is None.
    """
    seconds = seconds if seconds is not None else _MIGRATION_SECONDS if is_oneshot else _SERVICE_SECONDS
    seen: list[Instance] = []
    notes = _Notes(note)

    def check() -> bool | None:
        seen[:] = runtime.observe([]).of_service(service)
        if failed := next((found for found in seen if _has_failed(found, is_oneshot=is_oneshot)), None):
            raise _failed(runtime, failed)
        done = [found.is_completed if is_oneshot else found.is_ready for found in seen]
        if done and all(done):
            return True
        notes.tell(lambda: _last_line(runtime, seen))
        return None

    if wait_until(check, seconds=seconds) is None:
        raise _late(runtime, service, instance, seen, seconds)


def await_workers(
    runtime: Runtime,
    api: Api,
    workers: Sequence[WorkerName],
    note: Callable[[str], None],
    *,
    seconds: float = _WORKERS_SECONDS,
) -> None:
    """Wait until workers are online in Prefect; raises ServiceError with the last lines of one that fails.

    seconds: how long that may take.
    """
    waited = {worker.service for worker in workers}
    seen: dict[str, Instance] = {}
    notes = _Notes(note)

    def check() -> bool | None:
        instances = [found for found in runtime.observe([]).instances if found.service in waited]
        seen.update({found.service: found for found in instances})
        if failed := next((found for found in instances if _has_failed(found, is_oneshot=False)), None):
            raise _failed(runtime, failed)
        online = _online(api, workers, seen)
        if len(online) == len(workers):
            return True
        notes.tell(lambda: f"{len(online)} of {len(workers)} online")
        return None

    if wait_until(check, seconds=seconds) is None:
        missing = next(worker for worker in workers if worker.service not in _online(api, workers, seen))
        found = [seen[missing.service]] if missing.service in seen else []
        raise _late(runtime, missing.service, missing.instance, found, seconds)


def is_fresh(row: Worker, instance: Instance) -> bool:
    """Whether a worker was heard of since its instance started; an old row stays online for a while."""
    return row.last_heartbeat >= instance.started - _SKEW


class _Notes:
    """Says what is waited for, at first and then every few seconds."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note, self._next = note, 0.0

    def tell(self, find: Callable[[], str]) -> None:
        """Find out and say it, if it is time."""
        if time.monotonic() >= self._next:
            self._note(find())
            self._next = time.monotonic() + _NOTE_SECONDS


def _last_line(runtime: Runtime, seen: Sequence[Instance]) -> str:
    lines = runtime.last_lines(seen[-1].id).splitlines() if seen else []
    return lines[-1].strip() if lines else ""


def _online(api: Api, workers: Sequence[WorkerName], seen: dict[str, Instance]) -> set[str]:
    """Names of the services whose worker runs and was heard of since it started."""
    rows = {row.name: row for pool in {worker.pool for worker in workers} for row in api.workers(pool)}
    return {
        worker.service
        for worker in workers
        if (instance := seen.get(worker.service))
        and instance.status == "running"
        and (row := rows.get(worker.instance))
        and row.is_online
        and is_fresh(row, instance)
    }


def _has_failed(instance: Instance, *, is_oneshot: bool) -> bool:
    if is_oneshot:
        return instance.status == "exited" and not instance.is_completed and instance.started.year > 1
    is_unhealthy = instance.health == "unhealthy" and instance.role != "worker"  # a worker may lack its server
    return instance.status == "dead" or instance.restarts >= _CRASHES or is_unhealthy


def _failed(runtime: Runtime, instance: Instance) -> ServiceError:
    is_unhealthy = instance.status == "running" and instance.health == "unhealthy"
    code = f" with exit code {instance.exit_code}" if instance.exit_code else ""  # 0 where it isn't known
    what = "is unhealthy" if is_unhealthy else f"failed{code}"
    again = f" after {instance.restarts} restarts" if instance.restarts else ""
    return _error(runtime, f"{instance.name} {what}{again}", instance)


def _late(runtime: Runtime, service: str, instance: str, seen: Sequence[Instance], seconds: float) -> ServiceError:
    if not seen:
        remedy = f"`platformctl status` shows what is there; type the same command to try again ({service})."
        return ServiceError(f"{instance} was not there after {seconds:.0f} s.", remedy=remedy)
    state = seen[-1].status + (f", {seen[-1].health}" if seen[-1].health != "none" else "")
    return _error(runtime, f"{instance} is not ready after {seconds:.0f} s ({state})", seen[-1])


def _error(runtime: Runtime, what: str, instance: Instance) -> ServiceError:
    """The instance's own last words, and its health check's where that is what failed."""
    lines = runtime.last_lines(instance.id) or "(it wrote nothing)"
    check = runtime.health_output(instance.id) if instance.health in ("unhealthy", "starting") else ""
    said = [f"{what}. Its last lines:", *(f"  {line}" for line in lines.splitlines())]
    said += ["Its health check said:", *(f"  {line}" for line in check.splitlines()[-5:])] if check else []
    remedy = f"`platformctl logs {instance.service}` shows more; correct the cause, then type the same command."
    return ServiceError("\n".join(said), remedy=remedy)
