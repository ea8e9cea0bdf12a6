"""What prefect.yaml declares, with the images that it is registered from. Prefect's own machinery registers it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from platformctl.spec.load import Project
from platformctl.spec.prefect_yaml.check import check_document
from platformctl.spec.prefect_yaml.document import read_document
from platformctl.spec.prefect_yaml.yaml_text import canonical_json
from platformctl.stack.images.context import WorkerImage

_GLOBAL = ("name", "prefect-version", "pull", "definitions")


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
    """Read the deployments; none where there is no prefect.yaml. Raises SpecError for all that is wrong with it."""
    document = read_document(project.root)
    tags = {image.name: image.reference for image in images}
    shared = canonical_json({key: document.content.get(key) for key in _GLOBAL})
    return tuple(_load(project, entry, tags, shared) for entry in check_document(project, document))


def deployment_files(project: Project, deployments: tuple[Deployment, ...]) -> dict[str, bytes]:
    """Return a prefect.yaml for each image, with the deployments whose flows are in it: image name to content."""
    document = read_document(project.root)
    shared = {key: document.content[key] for key in _GLOBAL if key in document.content}
    images = {deployment.key: deployment.image for deployment in deployments}
    entries: dict[str, list[dict[str, object]]] = {image: [] for image in sorted(set(images.values()))}
    for entry in check_document(project, document):
        entries[images[_key(entry)]].append(entry)
    return {
        image: yaml.safe_dump({**shared, "deployments": own}, sort_keys=False).encode()
        for image, own in entries.items()
    }


def _key(entry: Mapping[str, object]) -> str:
    return f"{entry['entrypoint']}/{entry['name']}"


def _load(project: Project, entry: dict[str, object], tags: Mapping[str, str], shared: str) -> Deployment:
    work_pool = entry["work_pool"]
    pool = str(work_pool["name"]) if isinstance(work_pool, dict) else ""
    image = project.image_of(project.spec.pools[pool])
    digest = hashlib.sha256("\0".join([canonical_json(entry), shared, tags[image]]).encode()).hexdigest()[:12]
    return Deployment(str(entry["name"]), str(entry["entrypoint"]), pool, image, digest)
