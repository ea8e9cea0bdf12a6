"""Why a container must be replaced or started, in words."""

from platformctl.plan.observed import Container
from platformctl.render import Service


def replacement_cause(service: Service, containers: tuple[Container, ...]) -> str | None:
    """Return why a service's containers must be replaced; None where they are what is wanted."""
    if len(containers) > 1:
        return "an interrupted change left two containers"
    container = containers[0]
    if container.is_stranded:
        return "the platform's folder was moved, and it would not start again"
    if container.release == service.release:
        return None
    return f"image {container.image} -> {service.image}" if container.image != service.image else "its settings changed"


def describe(container: Container) -> str:
    """Return what a container that doesn't run does instead."""
    if container.status == "exited":
        return f"stopped with exit code {container.exit_code}"
    return {"created": "was never started", "restarting": "keeps restarting"}.get(container.status, container.status)
