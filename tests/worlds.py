"""What is there, for tests of reconcile: a platform that is exactly what its files want, for a test to change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.model.deployment import FlowDescription, LiveDeployment
from platformctl.model.observed import FlowRun, Instance, Machine, Observed, Prefect, Worker, WorkPool
from platformctl.model.service import Service
from platformctl.plan.resources.deployment import CreateDeployment, deployment_steps
from platformctl.plan.wanted import Wanted

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def nothing() -> Observed:
    """Return an empty machine."""
    return Observed(
        NOON, ("database_password", "api_password"), ("compose.yaml",), (), Machine((), {}, (), frozenset()), None
    )


def everything(wanted: Wanted) -> Observed:
    """Return what is there right after an `up`."""
    services = [service for service in wanted.stack.services if service.role != "deploy" and not service.is_spare]
    images = {service.image for service in services} | {image.reference for image in wanted.stack.built}
    name = wanted.project.spec.platform.name
    volumes = {f"{name}_database-18": NOON - timedelta(minutes=1)}
    machine = Machine(tuple(instance(service) for service in services), volumes, (), frozenset(images))
    return Observed(NOON + timedelta(hours=1), (), (), (), machine, _prefect(wanted, services))


def instance(service: Service) -> Instance:
    """Return a service's instance as it should be, started at noon."""
    is_oneshot = service.role == "migrate"
    return Instance(
        id=f"id-{service.name}",
        name=service.instance,
        service=service.name,
        role=service.role,
        pool=service.pool,
        release=service.release,
        image=service.image,
        status="exited" if is_oneshot else "running",
        health="none" if is_oneshot else "healthy",
        exit_code=0,
        restarts=0,
        started=NOON,
        drains=service.drains,
    )


def run(worker: str | None, *, minutes: float = 5, state: str = "RUNNING") -> FlowRun:
    """Return a flow run of a worker that took its state some minutes after noon."""
    since = NOON + timedelta(minutes=minutes)
    return FlowRun("r1", "brave-otter", state, state.capitalize(), since, "prod", worker, "s1")


def _prefect(wanted: Wanted, services: list[Service]) -> Prefect:
    pools = {
        name: WorkPool(name, pool.type, pool.limit, pool.description, is_paused=False)
        for name, pool in wanted.project.spec.pools.items()
    }
    workers = tuple(
        Worker(service.instance, service.pool or "", is_online=True, last_heartbeat=NOON + timedelta(seconds=5))
        for service in services
        if service.role == "worker"
    )
    described = {found.image: wanted.stack.flows_digest(found.image) for found in wanted.stack.deployments}
    return Prefect("3.9.1", pools, workers, (), deployments=deployed(wanted), described=described)


def flows(wanted: Wanted) -> dict[str, dict[str, FlowDescription]]:
    """Return what the flows are: without a description, and with a parameter."""
    found = FlowDescription("hello", None, "1", {"type": "object", "properties": {"source": {}}})
    return {each.image: {other.key: found for other in wanted.stack.deployments} for each in wanted.stack.deployments}


def deployed(wanted: Wanted, prefect: FakePrefect | None = None) -> tuple[LiveDeployment, ...]:
    """Return what is deployed once all that is declared was created. prefect: where it is created."""
    held = prefect or FakePrefect(is_up=True)
    for name in wanted.project.spec.pools:
        held.make_pool(name, "warm")
    empty = Prefect("3.9.1", {}, (), (), references=held.values)
    for step in deployment_steps(wanted, replace(nothing(), prefect=empty, flows=flows(wanted))):
        assert isinstance(step.change, CreateDeployment)
        held.definitions.create(step.change.flow, step.change.fields)
    return held.observe().deployments
