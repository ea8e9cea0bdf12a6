"""What is wrong with the deployments of a prefect.yaml, whatever their flows are.

Prefect itself would say so only after the workers were replaced, or take it in silence.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from platformctl.files import is_file
from platformctl.model.texts import is_name
from platformctl.spec.load import Project
from platformctl.spec.prefect_yaml.declared import Declared
from platformctl.spec.prefect_yaml.document import Document
from platformctl.spec.prefect_yaml.steps import find_impossible
from platformctl.spec.prefect_yaml.templates import fill_in, find_unknown, has_placeholder
from platformctl.spec.problems import Problem, nearest, nearest_word, problems_of

_BELOW = {
    **dict.fromkeys(("job_variables", "work_queue_name"), "work_pool"),
    **dict.fromkeys(("env", "working_dir", "command", "stream_output", "image"), "work_pool.job_variables"),
}
"""Keys that are often written a floor too high, where Prefect ignores them."""
_TOP = ("name", "prefect-version", "build", "push", "pull", "deployments", "definitions")


def check_document(project: Project, document: Document) -> list[dict[str, object]]:
    """Return the deployments with their variables filled in; raises SpecError that lists all that is wrong, with lines."""
    entries = document.entries
    problems = [*_check_top(document.content), *find_impossible(document.content, project.root)]
    filled = []
    for number, entry in enumerate(entries):
        at = ("deployments", str(number))
        environment = _environment(project, entry)
        filled.append(fill_in(entry, environment))
        found = _check_entry(project, filled[-1], environment)
        problems += [problem.within(at, which(entry)) for problem in found]
    problems += _check_unique(filled)
    if problems:
        raise document.error(problems)
    return filled


def _check_top(content: Mapping[str, object]) -> Iterator[Problem]:
    """Keys that nobody knows hold what others refer to, unless they are slips."""
    for key in content:
        if key not in _TOP and isinstance(key, str) and (near := nearest_word(key, _TOP)):
            yield Problem((key,), f"unknown key {key!r}; did you mean {near!r}?")


def _environment(project: Project, entry: Mapping[str, object]) -> Mapping[str, str]:
    pool = project.spec.pools.get(_pool_name(entry))
    return pool.environment if pool else {}


def _pool_name(entry: Mapping[str, object]) -> str:
    table = entry.get("work_pool")
    return str(table.get("name")) if isinstance(table, dict) else ""


def which(entry: Mapping[str, object]) -> str:
    """Name a deployment for a person."""
    name = entry.get("name")
    return f"deployment {name!r}" if name else "a deployment"


def _check_entry(project: Project, entry: Mapping[str, object], environment: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a deployment; the path of each problem begins in it."""
    problems = find_unknown(entry, environment, _pool_name(entry)) + _check_shape(entry)
    problems += find_impossible(entry, project.root)
    return problems or [*_check_pool(project, entry), *_check_entrypoint(project, entry)]


def _check_shape(entry: Mapping[str, object]) -> list[Problem]:
    misplaced = [Problem((key,), f"{key!r} belongs under {_BELOW[key]}") for key in entry if key in _BELOW]
    try:
        Declared.model_validate(_without_placeholders({key: entry[key] for key in entry if key not in _BELOW}))
    except ValidationError as error:
        return misplaced + problems_of(error, Declared)
    return misplaced


def _without_placeholders(value: object) -> object:
    """What is left of a deployment before Prefect fills in its part; what that gives nobody knows yet."""
    if isinstance(value, dict):
        return {
            key: _without_placeholders(item)
            for key, item in value.items()
            if not str(key).startswith("x-") and (key in {"name", "entrypoint"} or not has_placeholder(item))
        }
    return [_without_placeholders(item) for item in value] if isinstance(value, list) else value


def without_notes(value: object) -> object:
    """Return what a deployment says to Prefect: keys that begin with `x-` are its user's own."""
    if isinstance(value, dict):
        return {key: without_notes(item) for key, item in value.items() if not str(key).startswith("x-")}
    return [without_notes(item) for item in value] if isinstance(value, list) else value


def _check_pool(project: Project, entry: Mapping[str, object]) -> Iterator[Problem]:
    name, pools = _pool_name(entry), list(project.spec.pools)
    if name in pools:
        return
    can_be_made = is_name(name) and nearest_word(name, pools) is None
    create = f" `platformctl pools create {name}` makes it" if can_be_made else ""
    found = f"there is no work pool {name!r} in platform.toml{nearest(name, pools)}{';' if create else ''}{create}"
    yield Problem(("work_pool", "name"), found)


def _check_entrypoint(project: Project, entry: Mapping[str, object]) -> Iterator[Problem]:
    at, entrypoint = ("entrypoint",), str(entry["entrypoint"])
    path = entrypoint.rpartition(":")[0]
    pool = project.spec.pools.get(_pool_name(entry))
    if pool is None:
        return
    if not path.endswith(".py"):
        yield Problem(at, f"entrypoint is {entrypoint!r}, expected FOLDER/FILE.py:FLOW")
    elif not _is_in_image(project, path, image := project.image_of(pool)):
        flows = project.spec.images[image].flows
        holds = f"the folder {flows!r}" if flows else "no flows"
        yield Problem(
            at, f"{path} is not in the image {image!r}, which holds {holds} (images.{image}.flows in platform.toml)"
        )
    elif not is_file(project.root / path):
        yield Problem(at, f"there is no file {path} in {project.root}")


def _is_in_image(project: Project, path: str, image: str) -> bool:
    flows = project.spec.images[image].flows
    folder = os.path.realpath(project.root / flows)
    return bool(flows) and Path(os.path.realpath(project.root / path)).is_relative_to(folder)


def _check_unique(entries: list[dict[str, object]]) -> Iterator[Problem]:
    seen: dict[tuple[object, object], int] = {}
    for number, entry in enumerate(entries):
        key = (str(entry.get("entrypoint")), str(entry.get("name")))
        if key in seen:
            yield Problem(("deployments", str(number)), f"{which(entry)} of {key[0]} is there twice")
        seen[key] = number
