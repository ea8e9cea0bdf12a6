"""What is looked at: Prefect only where a server runs that answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.model.observed import Status
from platformctl.plan.observe import observe, observe_running
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.fake import FakeRuntime
from platformctl.stack.files import write_files
from platformctl.state.drain_marks import mark_drain
from platformctl.state.secrets import write_secrets
from projects import load_docker, write_project
from worlds import everything


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    return load_docker(write_project(tmp_path))


@pytest.fixture
def runtime(wanted: Wanted) -> FakeRuntime:
    """Give an engine that runs the platform, and has the database's image only."""
    held = {held.name: held for held in everything(wanted).machine.instances}
    images = {"postgres:18", "somebody:else"}
    return FakeRuntime(FakePrefect(is_up=True), instances=held, images=images, folder=wanted.project.root)


def test_files_secrets_images_and_prefect_are_looked_at(wanted: Wanted, runtime: FakeRuntime) -> None:
    found = observe(wanted, runtime, runtime.prefect)

    assert "compose.yaml" in found.changed_files
    assert {"database_password", "api_password"} <= set(found.unwritten_secrets)
    assert found.machine.images == {"postgres:18"}
    assert found.prefect == runtime.prefect.observe()

    write_secrets(wanted.project)
    write_files(wanted.files, wanted.project.bundle)
    found = observe(wanted, runtime, runtime.prefect)
    assert (found.changed_files, found.unwritten_secrets) == ((), ())


def test_what_runs_is_looked_at_whatever_the_files_want(runtime: FakeRuntime) -> None:
    found = observe_running(runtime, runtime.prefect)

    assert (found.changed_files, found.unwritten_secrets, found.machine.images) == ((), (), frozenset())
    assert len(found.machine.instances) == len(runtime.instances)
    assert found.prefect == runtime.prefect.observe()


def test_a_drain_that_was_interrupted_is_seen(wanted: Wanted, runtime: FakeRuntime) -> None:
    mark_drain(runtime.keeper, "prod")

    assert observe(wanted, runtime, None).interrupted_drains == ("prod",)
    assert observe_running(runtime, None).interrupted_drains == ("prod",)


@pytest.mark.parametrize("status", ["exited", "restarting", "created"])
def test_a_server_that_does_not_run_is_not_asked(wanted: Wanted, runtime: FakeRuntime, status: Status) -> None:
    runtime.instances["acme-server"] = replace(runtime.instances["acme-server"], status=status)

    assert observe(wanted, runtime, runtime.prefect).prefect is None
    assert observe_running(runtime, runtime.prefect).prefect is None


def test_a_server_that_does_not_answer_or_whose_password_is_gone_is_not_asked(
    wanted: Wanted, runtime: FakeRuntime
) -> None:
    assert observe(wanted, runtime, None).prefect is None
    runtime.prefect.is_up = False
    assert observe(wanted, runtime, runtime.prefect).prefect is None
