"""What prefect.yaml declares. It is Prefect's own file: platformctl reads it, and has Prefect's own machinery register it."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from platformctl.errors import SpecError
from platformctl.files import is_file, read_small_text
from platformctl.model.texts import is_name
from platformctl.spec.contents import check_inside
from platformctl.spec.load import Project
from platformctl.spec.problems import nearest, nearest_word
from platformctl.stack.images.context import WorkerImage
from platformctl.stack.yaml_text import YamlTextError, canonical_json, load_yaml

FILE_NAME = "prefect.yaml"
_GLOBAL = ("name", "prefect-version", "build", "push", "pull", "definitions")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that prefect.yaml declares, with the image that its flow is in."""

    name: str
    entrypoint: str
    pool: str
    image: str
    digest: str

    @property
    def key(self) -> str:
        """What tells it from the others: the entrypoint and the name."""
        return f"{self.entrypoint}/{self.name}"


def load_deployments(project: Project, images: tuple[WorkerImage, ...]) -> tuple[Deployment, ...]:
    """Read the deployments; none where there is no prefect.yaml.

    Raises SpecError for a file that isn't YAML, a deployment without a name, an entrypoint or a pool, a pool that
    platform.toml doesn't have, and a flow that isn't in the pool's image.
    """
    document = _read(project)
    tags = {image.name: image.reference for image in images}
    _check_pull(project, document, "the file")
    _check_unique(project, _entries(document, project))
    shared = canonical_json({key: document.get(key) for key in _GLOBAL})
    return tuple(_load(project, entry, tags, shared) for entry in _entries(document, project))


def deployment_files(project: Project, deployments: tuple[Deployment, ...]) -> dict[str, bytes]:
    """Return a prefect.yaml for each image, with the deployments whose flows are in it: image name to content."""
    document = _read(project)
    images = {deployment.key: deployment.image for deployment in deployments}
    files = {}
    for image in sorted(set(images.values())):
        entries = [entry for entry in _entries(document, project) if images[_key(entry)] == image]
        content = {key: document[key] for key in _GLOBAL if key in document} | {"deployments": entries}
        files[image] = yaml.safe_dump(content, sort_keys=False).encode()
    return files


def _read(project: Project) -> dict[str, object]:
    file = project.root / FILE_NAME
    if not os.path.lexists(file):
        return {}
    check_inside(project.root, file, FILE_NAME)
    try:
        document = load_yaml(read_small_text(file))
    except YamlTextError as error:
        raise SpecError(f"{FILE_NAME}:{error.line}: {error.reason}", remedy=_remedy(file)) from error
    except (OSError, ValueError) as error:
        raise SpecError(f"{FILE_NAME} can't be read as a text in UTF-8: {error}", remedy=_remedy(file)) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SpecError(f"{FILE_NAME}: expected a mapping with `deployments`", remedy=_remedy(file))
    return document


def _remedy(file: Path) -> str:
    return f"Correct {file}; nothing was changed."


def _entries(document: Mapping[str, object], project: Project) -> list[dict[str, object]]:
    entries = document.get("deployments") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SpecError(
            f"{FILE_NAME}: deployments must be a list of mappings", remedy=_remedy(project.root / FILE_NAME)
        )
    return entries


def _key(entry: Mapping[str, object]) -> str:
    return f"{entry.get('entrypoint')}/{entry.get('name')}"


def _load(project: Project, entry: dict[str, object], tags: Mapping[str, str], shared: str) -> Deployment:
    name, entrypoint = _string(project, entry, "name"), _string(project, entry, "entrypoint")
    _check_pull(project, entry, f"deployment {name!r}")
    pool = _pool(project, entry, name)
    image = project.image_of(project.spec.pools[pool])
    _check_entrypoint(project, name, entrypoint, image)
    content = canonical_json(entry)
    digest = hashlib.sha256("\0".join([content, shared, tags[image]]).encode()).hexdigest()[:12]
    return Deployment(name, entrypoint, pool, image, digest)


def _check_unique(project: Project, entries: list[dict[str, object]]) -> None:
    counts = Counter(_key(entry) for entry in entries)
    twice = next((entry for entry in entries if counts[_key(entry)] > 1), None)
    if twice:
        found = f"{FILE_NAME}: deployment {twice.get('name')!r} of {twice.get('entrypoint')} is there twice"
        raise SpecError(found, remedy=_remedy(project.root / FILE_NAME))


def _check_pull(project: Project, entry: Mapping[str, object], which: str) -> None:
    """Without a pull step Prefect looks where the flows are; with an empty one it looks nowhere."""
    if "pull" in entry and not entry["pull"]:
        found = f"{FILE_NAME}: {which} has an empty `pull`, and its flow runs would not find their code"
        raise SpecError(found, remedy=f"Leave `pull` out in {project.root / FILE_NAME}: the flows are in the image.")


def _string(project: Project, entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    if isinstance(value, str) and value and value.isprintable():
        return value
    which = f"deployment {entry.get('name')!r}" if entry.get("name") else "a deployment"
    if value:
        found = f"{FILE_NAME}: {which} has the {key} {value!r}, expected a text on one line"
        raise SpecError(found, remedy=_remedy(project.root / FILE_NAME))
    raise SpecError(f"{FILE_NAME}: {which} has no {key}", remedy=_remedy(project.root / FILE_NAME))


def _pool(project: Project, entry: Mapping[str, object], name: str) -> str:
    table = entry.get("work_pool")
    pool = table.get("name") if isinstance(table, dict) else None
    pools = list(project.spec.pools)
    if pool is None:
        remedy = f"Add `work_pool: {{name: {pools[0] if pools else 'POOL'}}}` to it in {project.root / FILE_NAME}."
        raise SpecError(f"{FILE_NAME}: deployment {name!r} names no work pool", remedy=remedy)
    if pool not in pools:
        found = f"{FILE_NAME}: deployment {name!r} names the work pool {pool!r}, which platform.toml doesn't have"
        can_be_made = isinstance(pool, str) and is_name(pool) and nearest_word(pool, pools) is None
        create = f" Or type `platformctl pools create {pool}`." if can_be_made else ""
        raise SpecError(
            f"{found}{nearest(str(pool), pools)}", remedy=f"Correct it in {project.root / FILE_NAME}.{create}"
        )
    return str(pool)


def _check_entrypoint(project: Project, name: str, entrypoint: str, image: str) -> None:
    path, flows = entrypoint.rpartition(":")[0], project.spec.images[image].flows
    if ":" not in entrypoint or not path.endswith(".py"):
        found = f"{FILE_NAME}: deployment {name!r} has the entrypoint {entrypoint!r}, expected FOLDER/FILE.py:FLOW"
        raise SpecError(found, remedy=_remedy(project.root / FILE_NAME))
    folder = os.path.realpath(project.root / flows)
    if not flows or not Path(os.path.realpath(project.root / path)).is_relative_to(folder):
        where = f"the folder {flows!r}" if flows else "no flows"
        found = f"{FILE_NAME}: deployment {name!r} wants {path}, and the image {image!r} holds {where}"
        raise SpecError(found, remedy=f"Move the flow, or correct images.{image}.flows in {project.file}.")
    if not is_file(project.root / path):
        found = f"{FILE_NAME}: deployment {name!r} wants {path}, and there is no such file in {project.root}"
        raise SpecError(found, remedy=_remedy(project.root / FILE_NAME))
