"""What a runtime does alike in memory and on an engine: how services come, are replaced and go."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engines import real_engine
from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.errors import PlatformError, PreflightError
from platformctl.model.observed import Instance
from platformctl.plan.await_started import await_service
from platformctl.plan.wanted import load_wanted
from platformctl.runtimes.docker.runtime import DockerRuntime
from platformctl.runtimes.fake import FakeRuntime
from platformctl.runtimes.runtime import BuildOptions, Runtime
from platformctl.spec.load import load_project
from platformctl.stack.files import write_files
from platformctl.stack.images.context import WorkerImage
from platformctl.state.secrets import write_secrets

SPEC = '[platform]\nname = "{name}"\nruntime = "docker"\n\n[database]\nmemory = "{memory}"\n'


@dataclass
class Subject:
    """A platform's folder and its runtime."""

    folder: Path
    name: str
    runtime: Runtime

    def write(self, memory: str = "256m") -> str:
        """Write the files of a platform whose database has some memory; returns the release of that service."""
        (self.folder / "platform.toml").write_text(SPEC.format(name=self.name, memory=memory))
        project = load_project(self.folder)
        wanted = load_wanted(project, self.runtime)
        write_secrets(project)
        write_files(wanted.files, project.bundle)
        return wanted.stack.service("database").release

    def start(self, *, recreate: bool = False) -> Instance:
        """Start the database, wait for it, and return what runs it."""
        self.runtime.start(["database"], recreate=recreate)
        await_service(self.runtime, "database", f"{self.name}-database", lambda _: None, is_oneshot=False)
        (found,) = self.runtime.observe([]).of_service("database")
        return found


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.engine)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Give a platform of which nothing is there."""
    name = f"t{uuid.uuid4().hex[:6]}"
    (tmp_path / "platform.toml").write_text(SPEC.format(name=name, memory="256m"))
    if request.param == "fake":
        yield Subject(tmp_path, name, FakeRuntime(FakePrefect(), folder=tmp_path))
        return
    real_engine().pull("postgres:18", lambda _: None)
    runtime = DockerRuntime(load_project(tmp_path))
    yield Subject(tmp_path, name, runtime)
    held = runtime.observe([])
    runtime.stop([instance.id for instance in held.instances], grace=1)
    for network in held.networks:
        runtime.remove_network(network)
    for volume in held.volumes:
        runtime.remove_volume(volume)
    for image in runtime.built_images():
        runtime.remove_image(image.reference)


def test_of_a_new_platform_nothing_is_there(subject: Subject) -> None:
    found = subject.runtime.observe(["postgres:18", "postgres:0"])

    assert (found.instances, found.volumes, found.networks) == ((), {}, ())
    assert found.images == {"postgres:18"}
    assert subject.runtime.home() is None


def test_nothing_starts_without_a_bundle_on_disk(subject: Subject) -> None:
    with pytest.raises((PlatformError, FileNotFoundError)):
        subject.runtime.start(["database"])

    assert subject.runtime.observe([]).instances == ()


def test_what_is_started_is_what_the_bundle_says(subject: Subject) -> None:
    release = subject.write()

    found = subject.start()

    assert (found.name, found.role, found.image) == (f"{subject.name}-database", "database", "postgres:18")
    assert (found.release, found.status, found.health, found.is_ready) == (release, "running", "healthy", True)
    assert (found.pool, found.drains, found.stranded) == (None, False, "")
    held = subject.runtime.observe([])
    assert held.databases.keys() == {f"{subject.name}_database-18"}
    assert f"{subject.name}_data" in held.networks
    assert subject.runtime.home()


def test_a_second_start_keeps_what_runs_and_recreate_does_not(subject: Subject) -> None:
    subject.write()
    first = subject.start()

    assert subject.start().id == first.id
    assert subject.start(recreate=True).id != first.id


def test_a_start_of_other_settings_replaces_what_runs(subject: Subject) -> None:
    subject.write()
    first = subject.start()
    release = subject.write(memory="300m")

    second = subject.start()

    assert second.id != first.id
    assert second.release == release != first.release


def test_what_is_stopped_is_gone_and_its_data_stays(subject: Subject) -> None:
    subject.write()
    started = subject.start()

    subject.runtime.stop([started.name], grace=5)

    held = subject.runtime.observe([])
    assert held.instances == ()
    assert held.databases
    subject.runtime.stop([started.name], grace=5)  # once more, as an interrupted command would


def test_networks_and_volumes_go_when_nothing_uses_them(subject: Subject) -> None:
    subject.write()
    started = subject.start()
    held = subject.runtime.observe([])
    with pytest.raises(PlatformError):
        subject.runtime.remove_network(f"{subject.name}_data")

    subject.runtime.stop([started.id], grace=5)
    for network in held.networks:
        subject.runtime.remove_network(network)
    for volume in held.volumes:
        subject.runtime.remove_volume(volume)

    left = subject.runtime.observe([])
    assert (left.instances, left.volumes, left.networks) == ((), {}, ())


def test_an_image_that_is_nowhere_is_refused(subject: Subject) -> None:
    if isinstance(subject.runtime, FakeRuntime):
        subject.runtime.withdrawn = {"postgres:0"}

    with pytest.raises(PreflightError, match="postgres:0"):
        subject.runtime.check_image("postgres:0")
    with pytest.raises(PlatformError, match="postgres:0"):
        subject.runtime.pull("postgres:0", lambda _: None)


def test_an_image_that_was_built_is_the_platforms_until_it_is_removed(subject: Subject) -> None:
    subject.write()
    image = WorkerImage("tiny", "scratch", f"{subject.name}/tiny", {"Dockerfile": b"FROM scratch\nCOPY . /\n"})
    write_files(
        {f"images/{image.name}/{path}": content for path, content in image.files.items()},
        load_project(subject.folder).bundle,
    )
    assert subject.runtime.built_images() == ()

    subject.runtime.build(image, BuildOptions({}), lambda _: None)

    (found,) = subject.runtime.built_images()
    assert (found.reference, found.repository, found.users) == (image.reference, f"{subject.name}/tiny", ())
    sizes = subject.runtime.image_sizes([image.reference, "gone:1"])
    assert sizes.keys() == {image.reference}
    assert 0 <= sizes[image.reference].own <= sizes[image.reference].total
    for _ in range(2):  # once more, as an interrupted command would
        subject.runtime.remove_image(image.reference)
    assert subject.runtime.built_images() == ()
    assert not subject.runtime.observe([image.reference]).images
