"""Waiting until what was started does what it is for, and saying what went wrong where it doesn't."""

import time
from collections.abc import Callable, Sequence

from platformctl.adapters.prefect.ports import Api
from platformctl.errors import ServiceError
from platformctl.model.observed import Instance
from platformctl.plan.reconcile_workers import is_fresh
from platformctl.runtimes.runtime import Runtime
from platformctl.stack.bundle import Service
from platformctl.waiting import wait_until

_SERVICE_SECONDS, _MIGRATION_SECONDS, _WORKERS_SECONDS = 180.0, 7200.0, 180.0
_CRASHES = 3
"""How often an instance may be restarted before it counts as failed: the first time may be its neighbours' fault."""


def await_service(runtime: Runtime, service: Service) -> None:
    """Wait until a service is healthy, or a one-shot completed; raises ServiceError with its last lines."""
    is_oneshot = service.role == "migrate"
    seconds = _MIGRATION_SECONDS if is_oneshot else _SERVICE_SECONDS
    seen: list[Instance] = []

    def check() -> bool | None:
        seen[:] = runtime.observe([]).of_service(service.name)
        if any(_has_failed(instance, is_oneshot=is_oneshot) for instance in seen):
            raise _failed(runtime, seen[-1])
        done = [instance.is_completed if is_oneshot else instance.is_ready for instance in seen]
        return True if done and all(done) else None

    if wait_until(check, seconds=seconds) is None:
        raise _late(runtime, service, seen, seconds)


def await_workers(runtime: Runtime, api: Api, services: Sequence[Service], note: Callable[[str], None]) -> None:
    """Wait until workers are online in Prefect; raises ServiceError with the last lines of one that fails."""
    waited = {service.name: service for service in services}
    seen: dict[str, Instance] = {}
    noted = [0.0]

    def check() -> bool | None:
        instances = [instance for instance in runtime.observe([]).instances if instance.service in waited]
        seen.update({instance.service: instance for instance in instances})
        for instance in instances:
            if _has_failed(instance, is_oneshot=False):
                raise _failed(runtime, instance)
        online = _online(api, services, seen)
        if len(online) < len(services) and time.monotonic() - noted[0] > 5:
            note(f"{len(online)} of {len(services)} online")
            noted[0] = time.monotonic()
        return True if len(online) == len(services) else None

    if wait_until(check, seconds=_WORKERS_SECONDS) is None:
        missing = next(service for service in services if service.name not in _online(api, services, seen))
        raise _late(runtime, missing, [seen[missing.name]] if missing.name in seen else [], _WORKERS_SECONDS)


def _online(api: Api, services: Sequence[Service], seen: dict[str, Instance]) -> set[str]:
    """Names of the services whose worker runs and was heard of since it started."""
    rows = {row.name: row for pool in {service.pool or "" for service in services} for row in api.workers(pool)}
    return {
        service.name
        for service in services
        if (instance := seen.get(service.name))
        and instance.status == "running"
        and (row := rows.get(service.instance))
        and row.is_online
        and is_fresh(row, instance)
    }


def _has_failed(instance: Instance, *, is_oneshot: bool) -> bool:
    if is_oneshot:
        return instance.status == "exited" and not instance.is_completed and instance.started.year > 1
    is_unhealthy = instance.health == "unhealthy" and instance.role != "worker"  # a worker may lack its server
    return instance.status == "dead" or instance.restarts >= _CRASHES or is_unhealthy


def _failed(runtime: Runtime, instance: Instance) -> ServiceError:
    what = "is unhealthy" if instance.health == "unhealthy" else f"failed with exit code {instance.exit_code}"
    again = f" after {instance.restarts} restarts" if instance.restarts else ""
    return _error(runtime, f"{instance.name} {what}{again}", instance)


def _late(runtime: Runtime, service: Service, seen: Sequence[Instance], seconds: float) -> ServiceError:
    if not seen:
        remedy = f"`platformctl status` shows what is there; type the same command to try again ({service.name})."
        return ServiceError(f"{service.instance} was not there after {seconds:.0f} s.", remedy=remedy)
    state = seen[-1].status + (f", {seen[-1].health}" if seen[-1].health != "none" else "")
    return _error(runtime, f"{service.instance} is not ready after {seconds:.0f} s ({state})", seen[-1])


def _error(runtime: Runtime, what: str, instance: Instance) -> ServiceError:
    """The instance's own last words, and its health check's where that is what failed."""
    lines = runtime.last_lines(instance.id) or "(it wrote nothing)"
    check = runtime.health_output(instance.id) if instance.health in ("unhealthy", "starting") else ""
    said = [f"{what}. Its last lines:", *(f"  {line}" for line in lines.splitlines())]
    said += ["Its health check said:", *(f"  {line}" for line in check.splitlines()[-5:])] if check else []
    remedy = f"`platformctl logs {instance.service}` shows more; mend the cause, then type the same command."
    return ServiceError("\n".join(said), remedy=remedy)
