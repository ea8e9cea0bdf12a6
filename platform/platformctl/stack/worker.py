"""A worker: a service of its own and not a replica, so that its name is stable and it can be stopped by itself."""

from collections.abc import Iterator

from platformctl.model.service import Service
from platformctl.model.spec import Pool
from platformctl.spec.load import Project
from platformctl.stack.limits import limits_of
from platformctl.stack.names import SERVER, instance_name, worker_name
from platformctl.stack.site import Site
from platformctl.stack.warm import drains, stop_seconds, warm_environment
from prefect_warm_worker.contract import DOUBLING_RETRIES, HEARTBEAT_SECONDS, WORKER_HEARTBEAT_SECONDS

RESULTS_VARIABLE = "PREFECT_RESULTS_LOCAL_STORAGE_PATH"
_PREFECT = ("prefect",)
_PATIENCE = {"PREFECT_CLIENT_MAX_RETRIES": str(DOUBLING_RETRIES)}
"""Of clients in processes of their own. A warm worker and its forks see to it themselves, and need not double their pauses."""


def worker_services(project: Project, site: Site, image: str, name: str) -> Iterator[Service]:
    """Yield the workers of a pool, and the spare that serves it while its one worker is replaced.

    image: the reference of the pool's image. name: the pool's.
    """
    pool = project.spec.pools[name]
    for number in range(1, pool.workers + 1):
        yield _worker(project, site, image, name, number)
    if pool.workers == 1 and drains(pool):
        yield _worker(project, site, image, name, 2, is_spare=True)


def _worker(  # noqa: PLR0913  # what tells one worker from another
    project: Project, site: Site, image: str, name: str, number: int, *, is_spare: bool = False
) -> Service:
    pool, service = project.spec.pools[name], worker_name(name, number)
    instance = instance_name(project, service)
    return Service(
        name=service,
        instance=instance,
        role="worker",
        image=image,
        limits=limits_of(pool),
        command=_command(site, pool, name, instance),
        environment=_environment(site, pool, name),
        secrets=site.secrets_of("client"),
        mounts=(*site.worker.mounts.get(name, ()), *site.worker.temporary),
        networks=site.networks_of(pool),
        needs={SERVER: "service_healthy"},
        health=site.worker.health,
        isolation=site.isolation,
        stop_seconds=stop_seconds(pool),
        pool=name,
        drains=drains(pool),
        waits_for_server=pool.type in site.worker.waiting_programs,
        is_spare=is_spare,
    )


def _command(site: Site, pool: Pool, name: str, instance: str) -> tuple[str, ...]:
    at_once = ("--limit", str(pool.concurrency)) if pool.concurrency else ()
    who = ("--pool", name, "--type", pool.type, "--name", instance)
    program = site.worker.waiting_programs.get(pool.type, _PREFECT)
    return (*program, "worker", "start", *who, "--install-policy", "never", *at_once, *site.worker.options)


def _environment(site: Site, pool: Pool, name: str) -> dict[str, str]:
    """What a worker is told; the pool's own environment has the last word."""
    return {
        **site.environment_of("client"),
        "PREFECT_API_URL": site.server.api,
        "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
        "PREFECT_WORKER_HEARTBEAT_SECONDS": str(WORKER_HEARTBEAT_SECONDS),
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
        RESULTS_VARIABLE: site.worker.results[name],
        **site.worker.environment,
        **({} if pool.type == "warm" else _PATIENCE),
        **warm_environment(pool, site.worker.folder),
        **pool.environment,
    }
