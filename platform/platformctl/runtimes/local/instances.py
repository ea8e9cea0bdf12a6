"""What the processes of a local platform are to a plan: instances of services."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import requests

from platformctl.adapters.processes import Marked
from platformctl.adapters.supervisor import Supervised
from platformctl.model.observed import Health, Instance, Status
from platformctl.runtimes.local.label import parse_label
from platformctl.spec.load import Project
from platformctl.stack.names import instance_name

_STARTING = timedelta(seconds=120)
"""How long a server may take before it counts as unhealthy."""
_ORPHANED = "its supervisor is gone, so nothing would restart it"


def kept_instances(project: Project, processes: Iterable[Supervised]) -> Iterator[Instance]:
    """Return the instances that a supervisor keeps."""
    for found in processes:
        yield _instance(project, found.program, found.label, found.status, found.started, exit_code=found.exit_code)


def orphaned_instances(project: Project, processes: Iterable[Marked]) -> Iterator[Instance]:
    """Return the instances that a supervisor left behind: of each service the oldest process, which started the others."""
    roots: dict[str, Marked] = {}
    for found in processes:
        roots.setdefault(found.program, found)
    for program, found in roots.items():
        yield _instance(project, program, found.label, "running", found.started, stranded=_ORPHANED)


def _instance(  # noqa: PLR0913  # what the two ways to know of a process have in common
    project: Project,
    service: str,
    text: str,
    status: Status,
    started: datetime,
    *,
    exit_code: int = 0,
    stranded: str = "",
) -> Instance:
    label = parse_label(text)
    is_server = label.role == "server" and status == "running"
    return Instance(
        id=instance_name(project, service),
        name=instance_name(project, service),
        service=service,
        role=label.role,
        pool=label.pool,
        release=label.release,
        image=label.image,
        status=status,
        health=_server_health(project, started) if is_server else "none",
        exit_code=exit_code,
        restarts=0,
        started=started,
        stranded=stranded,
        drains=label.drains and not stranded,  # without its supervisor it is stopped with all that it started
    )


def _server_health(project: Project, started: datetime) -> Health:
    try:
        if requests.get(f"{project.server_url}/api/ready", timeout=3).ok:
            return "healthy"
    except requests.RequestException:
        pass
    return "starting" if datetime.now(UTC) - started < _STARTING else "unhealthy"
