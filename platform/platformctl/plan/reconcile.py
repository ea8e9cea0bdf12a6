"""From what is wanted and what is there to a plan: a pure function, in the order in which things must happen."""

from collections.abc import Iterable, Iterator

from platformctl.model.observed import Instance, Observed
from platformctl.plan.causes import describe, replacement_cause
from platformctl.plan.reconcile_prefect import deployment_steps, orphan_steps, pool_steps, zombie_steps
from platformctl.plan.reconcile_workers import await_steps, worker_steps
from platformctl.plan.step import (
    Action,
    BuildImage,
    Plan,
    PullImage,
    RemoveInstances,
    StartService,
    Step,
    WriteBundle,
    WriteSecrets,
)
from platformctl.plan.wanted import Wanted
from platformctl.stack.bundle import Service
from platformctl.state.secrets import SERVER_PROFILE


def reconcile(wanted: Wanted, observed: Observed) -> Plan:
    """Return the plan that brings what is observed to what is wanted; an empty one where they agree.

    Where no server answers, what Prefect holds is not known: those steps assume that it holds nothing, say so in
    their causes, and are worked out anew once it answers. Raises SpecError for a pool that Prefect has with another type.
    """
    return Plan(
        (
            *_file_steps(wanted, observed),
            *_image_steps(wanted, observed),
            *_service_steps(wanted, observed),
            *pool_steps(wanted, observed),
            *zombie_steps(observed),
            *orphan_steps(wanted, observed),
            *worker_steps(wanted, observed),
            *deployment_steps(wanted, observed),  # while the workers start
            *await_steps(wanted, observed),
            *_leftover_steps(wanted, observed),
        )
    )


def _file_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    if observed.unwritten_secrets:
        yield Step(
            "secrets", Action.CREATE, f"missing or changed: {', '.join(observed.unwritten_secrets)}", WriteSecrets()
        )
    if observed.changed_files:
        yield Step("bundle", Action.UPDATE, f"changed: {_some(observed.changed_files)}", WriteBundle(wanted.bundle))


def _some(names: Iterable[str], most: int = 3) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def _image_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    present = observed.machine.images
    for image in wanted.bundle.pulled:
        if image not in present:
            yield Step(f"image {image}", Action.PULL, "not pulled yet", PullImage(image))
    for own in wanted.bundle.built:
        if own.reference not in present:
            yield Step(f"image {own.name}", Action.BUILD, f"{own.reference} is not there yet", BuildImage(own))


def _service_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    for service in wanted.bundle.services:
        if service.role == "migrate":
            yield from _migrate_step(service, observed, has_database=wanted.bundle.has_database)
        elif service.role in ("database", "server"):
            yield from _service_step(service, observed)


def _service_step(service: Service, observed: Observed) -> Iterator[Step]:
    instances = observed.machine.of_service(service.name)
    if not instances:
        yield Step(service.name, Action.CREATE, "not there", StartService(service))
    elif cause := replacement_cause(service, instances):
        yield Step(service.name, Action.REPLACE, cause, StartService(service, recreate=True))
    elif service.role == "server" and SERVER_PROFILE in observed.unwritten_secrets:
        yield Step(service.name, Action.REPLACE, "its secrets changed", StartService(service, recreate=True))
    elif instances[0].health == "unhealthy":
        yield Step(service.name, Action.REPLACE, "unhealthy", StartService(service, recreate=True))
    elif instances[0].status != "running":
        yield Step(service.name, Action.START, describe(instances[0]), StartService(service))
    elif not instances[0].is_ready:
        yield Step(service.name, Action.WAIT, "starting", StartService(service))


def _migrate_step(service: Service, observed: Observed, *, has_database: bool) -> Iterator[Step]:
    """The schema is brought up to date once for a version and a volume; the instance that did it stays as the proof."""
    instances = observed.machine.of_service(service.name)
    if not instances:
        yield Step("schema", Action.MIGRATE, "not known to be up to date", StartService(service, recreate=True))
    elif cause := replacement_cause(service, instances):
        yield Step("schema", Action.MIGRATE, cause, StartService(service, recreate=True))
    elif instances[0].status == "running":
        yield Step("schema", Action.WAIT, "the migration runs", StartService(service))
    elif not instances[0].is_completed:
        yield Step(
            "schema", Action.MIGRATE, f"the migration {describe(instances[0])}", StartService(service, recreate=True)
        )
    elif has_database and _is_older_than_data(instances[0], observed):
        yield Step("schema", Action.MIGRATE, "the database's volume is new", StartService(service, recreate=True))


def _is_older_than_data(migration: Instance, observed: Observed) -> bool:
    created = [time for name, time in observed.machine.volumes.items() if name.endswith("_database")]
    return not created or migration.started < max(created)


def _leftover_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Instances of services that are no more, one-shots that were interrupted among them; workers are drained elsewhere."""
    kept = {service.name for service in wanted.bundle.services if service.role != "deploy"}
    for instance in observed.machine.instances:
        if instance.service not in kept and instance.role != "worker":
            cause = f"left over: {instance.service} is not wanted any more"
            yield Step(instance.name, Action.REMOVE, cause, RemoveInstances((instance.id,), grace=10))
