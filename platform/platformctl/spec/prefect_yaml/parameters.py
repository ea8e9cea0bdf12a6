"""Whether the flows that prefect.yaml names are there, and take the parameters that they are given.

This reads their sources, which somebody may be writing just now: only what registers deployments asks for it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from platformctl.model.spec import KeyPath
from platformctl.spec.load import Project
from platformctl.spec.prefect_yaml.check import check_document, which
from platformctl.spec.prefect_yaml.document import read_document
from platformctl.spec.prefect_yaml.flows import NotAFlowError, Signature, read_signature
from platformctl.spec.prefect_yaml.templates import has_placeholder
from platformctl.spec.problems import Problem, nearest


def check_flows(project: Project) -> None:
    """Raise SpecError for flows that aren't there, and for parameters that they would not take."""
    document = read_document(project.root)
    problems = [
        problem.within(("deployments", str(number)), which(entry))
        for number, entry in enumerate(check_document(project, document))
        for problem in _check_flow(project.root, entry)
    ]
    if problems:
        raise document.error(problems)


def _check_flow(root: Path, entry: Mapping[str, object]) -> Iterator[Problem]:
    path, _, name = str(entry["entrypoint"]).rpartition(":")
    try:
        signature = read_signature(root / path, name)
    except NotAFlowError as error:
        where = f"{path}:{error.line}" if error.line else path
        yield Problem(("entrypoint",), f"{where} {error}{nearest(name, error.names) if error.names else ''}")
        return
    if signature is not None:
        yield from _check_parameters(signature, name, entry)


def _check_parameters(signature: Signature, flow: str, entry: Mapping[str, object]) -> Iterator[Problem]:
    given = _mapping(entry.get("parameters"))
    yield from _check_given(signature, flow, given, ("parameters",), entry)
    for number, schedule in enumerate(_schedules(entry)):
        at = ("schedules", str(number), "parameters")
        own = _mapping(schedule.get("parameters"))
        yield from _check_given(signature, flow, own, at, entry)
        missing = [each.name for each in signature.parameters if each.is_required and each.name not in {**given, **own}]
        if missing and schedule.get("active") is not False:
            yield Problem(at[:2], f"the flow {flow} needs {' and '.join(missing)}, and its scheduled runs get none")


def _check_given(
    signature: Signature, flow: str, given: Mapping[str, object], at: KeyPath, entry: Mapping[str, object]
) -> Iterator[Problem]:
    known = {each.name: each for each in signature.parameters}
    for name, value in given.items():
        if name not in known and not signature.takes_any:
            yield Problem((*at, name), f"the flow {flow} has no parameter {name!r}{nearest(name, list(known))}")
        elif (
            name in known and entry.get("enforce_parameter_schema") is not False and not _fits(value, known[name].types)
        ):
            expected = " or ".join("null" if each is type(None) else each.__name__ for each in known[name].types)
            yield Problem((*at, name), f"the parameter {name} is {value!r}, expected {expected}, as {flow} has it")


def _fits(value: object, types: tuple[type, ...]) -> bool:
    """Whether a value is of one of some types as JSON tells them: true is no number, and 1.0 is a whole one."""
    if not types or has_placeholder(value):
        return True
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types) or (isinstance(value, float) and value.is_integer() and int in types)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _schedules(entry: Mapping[str, object]) -> list[Mapping[str, object]]:
    schedules = entry.get("schedules")
    return [_mapping(each) for each in schedules] if isinstance(schedules, list) else []
