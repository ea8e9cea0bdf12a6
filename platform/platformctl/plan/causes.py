"""Why an instance must be replaced or started, in words."""

from platformctl.plan.observed import Instance
from platformctl.render import Service


def replacement_cause(service: Service, instances: tuple[Instance, ...]) -> str | None:
    """Return why a service's instances must be replaced; None where they are what is wanted."""
    if len(instances) > 1:
        return "an interrupted change left two instances"
    instance = instances[0]
    if instance.is_stranded:
        return "the platform's folder was moved, and it would not start again"
    if instance.release == service.release:
        return None
    return f"image {instance.image} -> {service.image}" if instance.image != service.image else "its settings changed"


def describe(instance: Instance) -> str:
    """Return what an instance that doesn't run does instead."""
    if instance.status == "exited":
        return f"stopped with exit code {instance.exit_code}"
    return {"created": "was never started", "restarting": "keeps restarting"}.get(instance.status, instance.status)
