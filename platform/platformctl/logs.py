"""`logs`: what the platform's containers wrote."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from platformctl.errors import UsageError
from platformctl.plan.observed import Machine
from platformctl.runtimes.choose import choose_runtime
from platformctl.spec.load import load_project
from platformctl.spec.problems import nearest


def read_logs(folder: Path, env: str | None, names: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
    """Yield lines, each behind its container's name; a pool's name stands for all of its workers.

    Raises UsageError for a name that nothing of the platform has.
    """
    project = load_project(folder, env)
    runtime = choose_runtime(project)
    machine = runtime.observe([])
    if not machine.containers:
        raise UsageError(f"Nothing of {project.spec.platform.name!r} is there.", remedy="`platformctl up` starts it.")
    services = [service for name in names for service in _services(machine, name)]
    return runtime.logs(services, follow=follow, tail=tail)


def _services(machine: Machine, name: str) -> list[str]:
    found = [
        container.service
        for container in machine.containers
        if name in (container.service, container.name) or (container.role == "worker" and name == container.pool)
    ]
    if not found:
        known = sorted(
            {name for container in machine.containers for name in (container.service, container.pool) if name}
        )
        raise UsageError(f"Nothing is named {name!r}{nearest(name, known)}", remedy=f"There are: {', '.join(known)}.")
    return found
