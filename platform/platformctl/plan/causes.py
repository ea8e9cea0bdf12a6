"""Why an instance must be replaced or started, in words."""

from platformctl.model.observed import INTERRUPTED, Instance, Observed
from platformctl.model.service import Service

_DOINGS = {"created": "never started", "restarting": "keeps restarting", "dead": "failed to start"}


def replacement_cause(service: Service, instances: tuple[Instance, ...]) -> str | None:
    """Return why a service's instances must be replaced; None where they are what is wanted."""
    if len(instances) > 1:
        return "an interrupted change left two instances"
    instance = instances[0]
    if instance.status == "stopping":
        return INTERRUPTED
    if instance.stranded:
        return instance.stranded
    if instance.release == service.release:
        return None
    return f"image {instance.image} -> {service.image}" if instance.image != service.image else "its settings changed"


def describe(instance: Instance) -> str:
    """Return what an instance that doesn't run does instead."""
    if instance.status == "exited":
        return f"stopped with exit code {instance.exit_code}"
    return _DOINGS.get(instance.status, instance.status)


def unknown_cause(observed: Observed) -> str | None:
    """Return the cause of a step that can't be compared as no server answers; None if it can be, or if there is no data yet."""
    is_unknown = observed.prefect is None and observed.machine.databases
    return "the server doesn't answer yet; skipped if it exists" if is_unknown else None
