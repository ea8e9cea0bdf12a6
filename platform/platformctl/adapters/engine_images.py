"""Images on a Docker engine: which were built for a platform, how big they are, and how far a pull is."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import docker

from platformctl.adapters.engine_errors import image_unavailable
from platformctl.model import labels as label
from platformctl.model.observed import BuiltImage, ImageSize

_LAYER_IS_THERE = ("Pull complete", "Already exists")
_UNTAGGED = "<none>:<none>"


def find_built_images(api: docker.APIClient, platform: str) -> tuple[BuiltImage, ...]:
    """Return the images that were built for a platform, with the containers of whatever platform that use them."""
    labelled = api.images(filters={"label": f"{label.PLATFORM}={platform}"})
    found = {image["Id"]: image for image in (*labelled, *api.images(f"{platform}/*"))}
    users: dict[str, list[str]] = {}
    for summary in api.containers(all=True):
        users.setdefault(summary["ImageID"], []).append(str(summary["Names"][0]).lstrip("/"))
    return tuple(
        BuiltImage(reference, datetime.fromtimestamp(image["Created"], UTC), tuple(users.get(image["Id"], ())))
        for image in found.values()
        for reference in _own_references(image, platform)
    )


def measure_images(api: docker.APIClient, images: Iterable[str]) -> dict[str, ImageSize]:
    """Return how big images are, by their references or ids: docker-py's own listing can't ask for what they share."""
    address = f"{api.base_url}/v{api.api_version}/images/json"
    summaries = api.get(address, params={"shared-size": "1"}, timeout=api.timeout).json()
    sizes = {
        name: ImageSize(summary["Size"], summary["Size"] - max(summary["SharedSize"], 0))
        for summary in summaries
        for name in (summary["Id"], *(summary["RepoTags"] or ()))
    }
    return {image: sizes[image] for image in images if image in sizes}


def follow_pull(image: str, events: Iterable[Mapping[str, Any]], report: Callable[[str], None]) -> None:
    """Report how many layers of an image are there, by the engine's events; raises PreflightError for an error among them."""
    layers: dict[str, str] = {}
    for event in events:
        if "error" in event:  # the engine has answered 200 by then
            raise image_unavailable(image, event["error"])
        if "id" in event and not event["status"].startswith("Pulling from"):
            layers[event["id"]] = event["status"]
            done = sum(status in _LAYER_IS_THERE for status in layers.values())
            report(f"{done} of {len(layers)} layers")


def _own_references(image: Mapping[str, Any], platform: str) -> list[str]:
    """What a platform calls an image that it built: labelled by it, or before images had labels tagged as it tags them."""
    labelled = (image["Labels"] or {}).get(label.PLATFORM)
    tags = [tag for tag in image["RepoTags"] or () if tag != _UNTAGGED]
    if labelled == platform:
        return tags or [image["Id"]]
    tagged = re.compile(rf"{re.escape(platform)}/[^/:]+:[0-9a-f]{{12}}")
    return [] if labelled else [tag for tag in tags if tagged.fullmatch(tag)]
