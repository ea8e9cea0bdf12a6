"""`logs`: what the platform's instances wrote."""

from collections.abc import Iterator, Sequence

from platformctl.commands.workspace import Workspace
from platformctl.errors import ServiceError
from platformctl.model.observed import Machine
from platformctl.spec.problems import unknown_name


def read_logs(workspace: Workspace, names: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
    """Yield lines, each behind its instance's name; a pool's name stands for all of its workers.

    Raises UsageError for a name that nothing of the platform has, and ServiceError where nothing of it is there.
    """
    project, runtime = workspace.project, workspace.runtime
    machine = runtime.observe([])
    if not machine.instances:
        found = f"There are no logs: {project.spec.platform.name!r} isn't running."
        raise ServiceError(found, remedy="`platformctl up` starts it.")
    services = [service for name in names for service in _services(machine, name)]
    return runtime.logs(services, follow=follow, tail=tail)


def _services(machine: Machine, name: str) -> list[str]:
    found = [
        instance.service
        for instance in machine.instances
        if name in (instance.service, instance.name) or (instance.role == "worker" and name == instance.pool)
    ]
    if not found:
        known = sorted({name for instance in machine.instances for name in (instance.service, instance.pool) if name})
        remedy = f"Name one of: {', '.join(known)}."
        raise unknown_name(f"Nothing is named {name!r}", name, known, remedy=remedy)
    return found
