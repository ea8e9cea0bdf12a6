"""What prefect.yaml declares, with the images that the flows are in."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from platformctl.spec.load import Project
from platformctl.spec.prefect_yaml.check import check_document
from platformctl.spec.prefect_yaml.document import read_document
from platformctl.spec.prefect_yaml.templates import find_references
from platformctl.spec.prefect_yaml.yaml_text import canonical_json

_GLOBAL = ("name", "prefect-version", "pull", "definitions")
Folder = Callable[[str], str]
"""From an image's name to the folder that its workers find the flows in."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that prefect.yaml declares, with the image that its flow is in.

    entry: what it declares, the variables of its pool filled in. pull: the steps that a run begins with.
    """

    name: str
    entrypoint: str
    pool: str
    image: str
    entry: Mapping[str, Any]
    pull: Sequence[Mapping[str, Any]]

    @property
    def key(self) -> str:
        """What tells it from the others: the entrypoint and the name."""
        return f"{self.entrypoint}/{self.name}"

    @property
    def flow(self) -> str:
        """The name of its flow, unless the code says otherwise."""
        return self.entrypoint.rpartition(":")[2].replace("_", "-")

    @property
    def from_flow(self) -> list[str]:
        """The fields that it has from its flow's code, as it declares none."""
        return [key for key in ("description", "version") if not self.entry.get(key)]

    @property
    def triggers(self) -> Sequence[Mapping[str, Any]]:
        """What its runs are triggered by."""
        found: list[Mapping[str, Any]] = json.loads(canonical_json(self.entry.get("triggers") or []))
        return found

    @property
    def references(self) -> frozenset[str]:
        """The variables and blocks of Prefect that it refers to, such as `prefect.variables.NAME`."""
        return find_references(self.entry)


def load_deployments(project: Project, folder: Folder = str) -> tuple[Deployment, ...]:
    """Read the deployments; none where there is no prefect.yaml. Raises SpecError for all that is wrong with it."""
    document = read_document(project.root)
    return tuple(_load(project, entry, document.content, folder) for entry in check_document(project, document))


def deployment_files(project: Project, deployments: tuple[Deployment, ...]) -> dict[str, bytes]:
    """Return a prefect.yaml for each image, with the deployments whose flows are in it: image name to content."""
    document = read_document(project.root)
    shared = {key: document.content[key] for key in _GLOBAL if key in document.content}
    entries: dict[str, list[Mapping[str, Any]]] = {
        image: [] for image in sorted({found.image for found in deployments})
    }
    for deployment in deployments:
        entries[deployment.image].append(deployment.entry)
    return {
        image: yaml.safe_dump({**shared, "deployments": own}, sort_keys=False).encode()
        for image, own in entries.items()
    }


def flow_requests(project: Project, deployments: Sequence[Deployment], image: str) -> dict[str, Any]:
    """Return what `describe_flows.py` is to describe of an image: the flows of each pool, with the pool's environment."""
    pools: dict[str, list[dict[str, Any]]] = {}
    for found in deployments:
        if found.image == image:
            asked = {"key": found.key, "entrypoint": found.entrypoint, "name": found.name}
            pools.setdefault(found.pool, []).append({**asked, "triggers": found.triggers})
    told = {pool: dict(project.spec.pools[pool].environment) for pool in pools}
    return {"pools": [{"environment": told[pool], "flows": flows} for pool, flows in pools.items()]}


def _load(project: Project, entry: dict[str, Any], content: Mapping[str, Any], folder: Folder) -> Deployment:
    pool = str(entry["work_pool"]["name"])
    image = project.image_of(project.spec.pools[pool])
    step = {"prefect.deployments.steps.set_working_directory": {"directory": folder(image)}}
    pull = entry.get("pull") or content.get("pull") or [step]
    steps = pull if isinstance(pull, list) else [pull]
    return Deployment(str(entry["name"]), str(entry["entrypoint"]), pool, image, entry, steps)
