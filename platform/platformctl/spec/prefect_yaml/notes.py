"""What prefect.yaml may hold, and its writer may not expect: notes, which hinder nothing."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from platformctl.spec.load import Project
from platformctl.spec.prefect_yaml.check import check_document, which
from platformctl.spec.prefect_yaml.document import find_line, read_document
from platformctl.spec.prefect_yaml.schedules import find_surprise
from platformctl.spec.prefect_yaml.templates import has_placeholder


def find_notes(project: Project, now: datetime) -> list[str]:
    """Return what may surprise of a project's prefect.yaml, each with its line. now: in UTC. Raises SpecError for a wrong file."""
    document = read_document(project.root)
    return [
        f"{document.file.name}:{find_line(document.text, ('deployments', str(number), *path))}: {which(entry)}: {found}"
        for number, entry in enumerate(check_document(project, document))
        for path, schedule in _schedules(entry)
        if (found := find_surprise(schedule, now))
    ]


def _schedules(entry: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], Mapping[str, object]]]:
    """The schedules of a deployment with what leads to them, but for those that Prefect fills in, and those that start nothing."""
    single, several = entry.get("schedule"), entry.get("schedules")
    found: list[tuple[tuple[str, ...], Mapping[str, object]]] = (
        [(("schedule",), single)] if isinstance(single, dict) and single else []
    )
    found += [(("schedules", str(at)), each) for at, each in enumerate(several)] if isinstance(several, list) else []
    for path, schedule in found:
        if schedule.get("active") is not False and not any(map(has_placeholder, schedule.values())):
            yield path, schedule
