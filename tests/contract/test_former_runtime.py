"""Which engine's platform a folder is to leave for local processes. Nothing is started."""

import uuid
from pathlib import Path

import pytest

from engines import created_platform
from platformctl.model.spec import RuntimeName
from platformctl.runtimes.choose import choose_runtime, former_name, former_runtime
from platformctl.spec.load import Project, load_project
from projects import SPEC, write_project

pytestmark = pytest.mark.engine


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose platform is wanted as local processes."""
    own = f'name = "t{uuid.uuid4().hex[:6]}"\nruntime = "local"'
    project = load_project(write_project(tmp_path, SPEC.replace('name = "acme"', own)))
    project.bundle.mkdir(parents=True)
    project.secrets.mkdir()
    (project.secrets / "client.toml").touch()
    return project


def test_a_platform_that_an_engine_still_holds_is_to_leave_it(project: Project) -> None:
    (project.bundle / "compose.yaml").touch()
    with created_platform(project.state, project.spec.platform.name):
        former = former_runtime(project, choose_runtime(project))
        assert former is not None
        assert former.name == "docker"
    assert former_runtime(project, choose_runtime(project)) is None


def test_the_platform_of_another_folder_that_has_the_same_name_is_left_alone(project: Project) -> None:
    (project.bundle / "supervisord.conf").touch()
    with created_platform(project.state, project.spec.platform.name):
        assert former_runtime(project, choose_runtime(project)) is None


@pytest.mark.parametrize("runtime", ["docker", "local"])
def test_a_platform_that_was_renamed_is_found_by_its_folder(project: Project, runtime: RuntimeName) -> None:
    (project.bundle / "compose.yaml").touch()
    with created_platform(project.state) as former:
        assert former_name(project, choose_runtime(project, runtime)) == former
    assert former_name(project, choose_runtime(project, runtime)) is None


def test_a_platform_that_has_its_name_was_not_renamed(project: Project) -> None:
    with created_platform(project.state, project.spec.platform.name):
        assert former_name(project, choose_runtime(project, "docker")) is None


def test_the_platform_of_another_folder_is_no_former_name(project: Project, tmp_path: Path) -> None:
    state = tmp_path / "elsewhere" / ".platform"
    (state / "secrets").mkdir(parents=True)
    (state / "secrets" / "client.toml").touch()
    with created_platform(state):
        assert former_name(project, choose_runtime(project, "docker")) is None


def test_auto_stays_with_local_processes_whose_bundle_is_gone(project: Project) -> None:
    (project.data / "database").mkdir(parents=True)

    assert choose_runtime(project, "auto").name == "local"
    with created_platform(project.state):
        assert choose_runtime(project, "auto").name == "docker"
