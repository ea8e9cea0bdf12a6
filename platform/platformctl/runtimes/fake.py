"""A runtime in memory, for tests: it holds instances as an engine would, and its workers report to a fake Prefect.

It is as strict as an engine: it starts what the bundle on disk says and nothing else, from images that it has, with
files that are there.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.errors import EngineError, PlatformError, PreflightError, failed_build
from platformctl.model import labels as label
from platformctl.model.deployment import Described, FlowDescription, Json
from platformctl.model.observed import BuiltImage, ImageSize, Instance, Machine
from platformctl.runtimes.described import not_loaded
from platformctl.runtimes.docker.bundle import describe_docker, render_compose
from platformctl.runtimes.fake_keeper import FakeKeeper
from platformctl.runtimes.runtime import BuildOptions, Line
from platformctl.spec.load import Project, load_project
from platformctl.stack.describe import Stack
from platformctl.stack.files import COMPOSE, Files
from platformctl.stack.images.context import WorkerImage


@dataclass
class FakeRuntime:
    """An engine in memory.

    failing: a service, `image NAME` or `flows IMAGE`, to the last line that it writes. flows: by a deployment's key, those that
    aren't as their names say. calls: what was asked, in order.
    """

    prefect: FakePrefect
    name: str = "docker"
    note: str = ""
    instances: dict[str, Instance] = field(default_factory=dict)
    volumes: dict[str, datetime] = field(default_factory=dict)
    networks: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=lambda: {"postgres:18", "prefecthq/prefect:3.9.1-python3.13"})
    built: dict[str, datetime] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    refused: PlatformError | None = None
    memory: int | None = None
    processors: int | None = None
    flows: dict[str, FlowDescription] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    folder: Path = Path()
    env: str | None = None
    platform: str = ""
    keeper: FakeKeeper = field(default_factory=FakeKeeper)

    def describe(self, project: Project) -> Stack:
        """Return what the Docker runtime does."""
        self.platform = project.spec.platform.name
        return describe_docker(project)

    def render_bundle(self, stack: Stack) -> Files:
        """Return what the Docker runtime does."""
        return render_compose(stack)

    def check_tools(self) -> None:
        """Every tool is there."""

    def check_machine(self) -> None:
        """Raise what `refused` holds."""
        if self.refused:
            raise self.refused

    def observe(self, images: Sequence[str]) -> Machine:
        """Return what is held."""
        present = frozenset(image for image in images if image in self.images)
        instances = tuple(sorted(self.instances.values(), key=lambda instance: instance.name))
        networks = tuple(sorted(self.networks))
        volumes = {name: created for name, created in self.volumes.items() if name.startswith(self.platform)}
        return Machine(instances, volumes, networks, present, self.memory, self.processors)

    def check_image(self, image: str) -> None:
        """Raise PreflightError for an image that was withdrawn."""
        if image in self.withdrawn:
            raise PreflightError(f"The image {image} can't be pulled: manifest unknown", remedy="Check the name.")

    def digest_of(self, image: str) -> str:
        """Return a digest; raises PreflightError for an image that was withdrawn."""
        self.check_image(image)
        return self.digests.get(image, f"sha256:{hashlib.sha256(image.encode()).hexdigest()}")

    def pull(self, image: str, report: Line) -> None:
        """Have an image; raises PreflightError for one that was withdrawn."""
        self.calls.append(f"pull {image}")
        report("1 of 1 layers")
        self.check_image(image)
        self.images.add(image)

    def build(self, image: WorkerImage, options: BuildOptions, report: Line) -> None:
        """Have an image; raises BuildError for one that fails, or whose Dockerfile asks for a secret that isn't given."""
        self.calls.append(f"build {image.name} push={options.push} cache={options.use_cache}")
        text = (self._project.bundle / "images" / image.name / "Dockerfile").read_text(encoding="utf-8")
        for secret in re.findall(r"type=secret,id=(\w+),required=true", text):
            if secret not in options.secrets or not options.secrets[secret].is_file():
                raise failed_build(image.name, "dependencies", f"secret {secret}: not found")
        if failure := self.failing.get(f"image {image.name}"):
            raise failed_build(image.name, "flows", failure)
        report(f"building {image.reference}")
        self.images.add(image.reference)
        self.built[image.reference] = datetime.now(UTC)

    def start(self, services: Sequence[str], *, recreate: bool = False) -> None:
        """Hold a running instance of each service, as the bundle on disk says; raises EngineError where something isn't there."""
        self.calls.append(f"start {' '.join(services)}" + (" anew" if recreate else ""))
        compose = self._compose()
        self.networks |= {f"{compose['name']}_{network}" for network in compose["networks"]}
        for name in services:
            instance = self._instance(self._service(compose, name))
            if recreate or self._is_other(instance):
                self.instances[instance.name] = instance
            for volume in self._volumes(compose, name):
                self.volumes.setdefault(volume, datetime.now(UTC))
            self._report_to_prefect(instance)

    def stop(self, instances: Sequence[str], *, grace: int) -> None:
        """Hold some instances no more; of those that drain, the flow runs are finished that have the time."""
        self.calls.append(f"stop {' '.join(instances)} within {grace} s")
        gone = [name for name, held in self.instances.items() if name in instances or held.id in instances]
        for name in gone:
            if self.instances[name].drains:
                self.prefect.finish_runs(name, within=grace)
            if self.instances.pop(name).role == "server":
                self.prefect.is_up = False

    def copy_results(self, service: str, source: str) -> None:
        """Hold the volumes of a worker; raises EngineError where its bundle or the volume isn't there."""
        self.calls.append(f"copy {source} to {service}")
        compose = self._compose()
        self._service(compose, service)
        if source not in self.volumes:
            raise EngineError(f"no such volume: {source}", remedy="Create it.")
        for volume in self._volumes(compose, service):
            self.volumes.setdefault(volume, datetime.now(UTC))

    def describe_flows(self, image: str, report: Line) -> Described:
        """Return flows that are called as their functions are, as the bundle on disk asks for them.

        Raises EngineError where the image isn't there, ServiceError for flows that fail.
        """
        self.calls.append(f"describe {image}")
        self._service(self._compose(), f"deploy-{image}")
        asked = json.loads((self._project.bundle / "deployments" / f"{image}.json").read_text(encoding="utf-8"))
        flows = [flow for pool in asked["pools"] for flow in pool["flows"]]
        if failure := self.failing.get(f"flows {image}"):
            raise not_loaded(image, flows[0]["key"], failure, 0)
        report(f"describing {len(flows)} flows")
        return {flow["key"]: self.flows.get(flow["key"]) or _described(flow, self.prefect.parameters) for flow in flows}

    def last_lines(self, instance: str) -> str:
        """Return what a failing service writes."""
        service = next((held.service for held in self.instances.values() if held.id == instance), "")
        return self.failing.get(service, "")

    def health_output(self, instance: str) -> str:
        """Return nothing: no check has run."""
        return f"{instance}: no check has run"

    def logs(self, services: Sequence[str], *, follow: bool, tail: int | None) -> Iterator[str]:
        """Yield a line of each service."""
        self.calls.append(f"logs follow={follow} tail={tail}")
        held = sorted(instance.service for instance in self.instances.values())
        yield from (f"{service} | hello" for service in services or held)

    def remove_network(self, name: str) -> None:
        """Hold a network no more; raises EngineError while anything runs in one."""
        if any(instance.status == "running" for instance in self.instances.values()):
            raise EngineError(f"The Docker engine refused: network {name} has active endpoints", remedy="Stop them.")
        self.networks.discard(name)

    def remove_volume(self, name: str) -> None:
        """Hold a volume no more, nor what Prefect had in it; raises EngineError while a container holds it."""
        if any(instance.role == "database" for instance in self.instances.values()):
            raise EngineError(f"The Docker engine refused: volume {name} is in use", remedy="Remove what uses it.")
        self.volumes.pop(name, None)
        self.prefect.forget()

    def names(self) -> tuple[str, ...]:
        """Return the names that the instances' names begin with."""
        return tuple(sorted({found.name.removesuffix(f"-{found.service}") for found in self.instances.values()}))

    def built_images(self) -> tuple[BuiltImage, ...]:
        """Return the images that were built, with the instances that run from them."""
        return tuple(
            BuiltImage(
                image, created, tuple(sorted(found.name for found in self.instances.values() if found.image == image))
            )
            for image, created in self.built.items()
        )

    def image_sizes(self, images: Sequence[str]) -> Mapping[str, ImageSize]:
        """Return the same size for each."""
        return {image: ImageSize(560_000_000, 60_000_000) for image in images if image in self.built}

    def remove_image(self, image: str) -> None:
        """Hold an image no more; raises EngineError while anything runs from it."""
        if any(instance.image == image for instance in self.instances.values()):
            raise EngineError(f"The Docker engine refused: image {image} is in use", remedy="Remove what uses it.")
        self.calls.append(f"remove image {image}")
        self.built.pop(image, None)
        self.images.discard(image)

    def home(self) -> str | None:
        """Return the folder that the platform was started from."""
        return str(self.folder) if self.instances else None

    def kill(self, name: str) -> None:
        """End an instance as a crash would."""
        if self.instances[name].role == "server":
            self.prefect.is_up = False
        self.instances[name] = replace(self.instances[name], status="exited", health="none", exit_code=137)

    @property
    def _project(self) -> Project:
        return load_project(self.folder, self.env)

    def _compose(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = yaml.safe_load((self._project.bundle / COMPOSE).read_text(encoding="utf-8"))
        return found

    def _volumes(self, compose: Mapping[str, Any], service: str) -> Iterator[str]:
        """The volumes that a service of compose.yaml mounts, by the names that Compose gives them."""
        for mount in compose["services"][service].get("volumes", ()):
            source = mount.partition(":")[0]
            if source in compose["volumes"]:
                yield f"{compose['name']}_{source}"

    def _service(self, compose: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """A service of compose.yaml with all that it needs; raises EngineError where something isn't there."""
        if name not in compose["services"]:
            raise EngineError(f"Docker Compose failed: no such service: {name}", remedy="Render it.")
        for secret in compose["secrets"].values():
            if not (self._project.bundle / secret["file"]).is_file():
                found = f"Docker Compose failed: bind source path does not exist: {secret['file']}"
                raise EngineError(found, remedy="Write it.")
        service: Mapping[str, Any] = compose["services"][name]
        if service["image"] not in self.images:
            raise EngineError(f"Docker Compose failed: No such image: {service['image']}", remedy="Build it.")
        return service

    def _is_other(self, instance: Instance) -> bool:
        """Whether Compose would make a container: none is there, or one that doesn't run or is of other settings."""
        held = self.instances.get(instance.name)
        return held is None or held.status != "running" or held.release != instance.release

    def _instance(self, service: Mapping[str, Any]) -> Instance:
        now, labels = datetime.now(UTC), service["labels"]
        name, role = labels[label.SERVICE], labels[label.ROLE]
        is_oneshot, is_failing = role == "migrate", name in self.failing
        return Instance(
            id=f"id-{service['container_name']}-{len(self.calls)}",
            name=service["container_name"],
            service=name,
            role=role,
            pool=labels.get(label.POOL),
            release=labels[label.RELEASE],
            image=service["image"],
            status="exited" if is_oneshot else "running",
            health="unhealthy" if is_failing else "none" if is_oneshot else "healthy",
            exit_code=1 if is_failing else 0,
            restarts=3 if is_failing and role == "worker" else 0,
            started=now,
            drains=label.DRAINS in labels,
        )

    def _report_to_prefect(self, instance: Instance) -> None:
        """What a start leads to: a server that answers, and workers that report to it, those that have waited for it among them."""
        if instance.role == "server" and instance.service not in self.failing:
            self.prefect.is_up = True
        for found in self.instances.values() if instance.role == "server" else (instance,):
            if found.pool and self.prefect.is_up and found.service not in self.failing:
                self.prefect.report_worker(found.pool, found.name)


def _described(flow: Json, parameters: Json) -> FlowDescription:
    name = flow["entrypoint"].rpartition(":")[2].replace("_", "-")
    automations = [{"name": f"{flow['name']}__automation_{number}"} for number, _ in enumerate(flow["triggers"], 1)]
    return FlowDescription(name, None, None, dict(parameters), automations)
