"""The schema of the database: brought up to date once for a version and a volume. The instance that did it stays as the proof."""

from collections.abc import Iterator

from platformctl.model.observed import Instance, Observed
from platformctl.model.service import Service
from platformctl.plan.causes import describe, replacement_cause
from platformctl.plan.resources.service import StartServices, await_step
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted


def schema_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Migrate where it isn't known that the schema is the wanted one, or wait for a migration that runs."""
    for service in wanted.stack.services:
        if service.role == "migrate" and (cause := _cause(service, observed, owns_database=wanted.stack.owns_database)):
            if not _runs(service, observed):
                yield Step("schema", Action.MIGRATE, cause, StartServices((service.name,), recreate=True))
            yield await_step(service, "schema")


def _cause(service: Service, observed: Observed, *, owns_database: bool) -> str | None:
    """Why the schema can't be relied on; None where it can."""
    instances = observed.machine.of_service(service.name)
    if not instances:
        return "not known to be up to date"
    if cause := replacement_cause(service, instances):
        return cause
    if not instances[0].is_completed:
        return f"the migration {describe(instances[0])}"
    if owns_database and _is_older_than_data(instances[0], observed):
        return "the database's volume is new"
    return None


def _runs(service: Service, observed: Observed) -> bool:
    instances = observed.machine.of_service(service.name)
    return bool(instances) and instances[0].status == "running" and not replacement_cause(service, instances)


def _is_older_than_data(migration: Instance, observed: Observed) -> bool:
    created = observed.machine.databases.values()
    return not created or migration.started < max(created)
