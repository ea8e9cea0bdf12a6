"""Which runtime a platform gets. No engine answers here: what asks for one is told so."""

from pathlib import Path

import pytest

from platformctl.errors import EngineError
from platformctl.runtimes.choose import choose_runtime, former_runtime
from platformctl.spec.load import Project, load_project
from projects import SPEC, write_project


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's address is where nothing is."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def project_of(folder: Path, runtime: str, extra: str = "") -> Project:
    spec = SPEC.replace('name = "acme"', f'name = "acme"\nruntime = "{runtime}"')
    return load_project(write_project(folder, spec + extra))


def has_begun(project: Project, file: str) -> None:
    """Leave what a platform leaves that has run."""
    (project.data / "database").mkdir(parents=True)
    project.bundle.mkdir()
    (project.bundle / file).touch()


def test_auto_falls_back_to_local_processes_and_says_so(tmp_path: Path) -> None:
    runtime = choose_runtime(project_of(tmp_path, "auto"))

    assert runtime.name == "local"
    assert runtime.note == "No Docker engine answers: the platform runs as local processes, with SQLite."


def test_a_fall_back_with_a_database_of_its_own_does_not_speak_of_sqlite(tmp_path: Path) -> None:
    project = project_of(tmp_path, "auto", '\n[database]\nurl = "postgresql://db.example/prefect"\n')

    assert choose_runtime(project).note.endswith("local processes, with your own database.")


def test_auto_never_leaves_the_engine_that_a_platform_has_run_on(tmp_path: Path) -> None:
    project = project_of(tmp_path, "auto")
    has_begun(project, "compose.yaml")

    with pytest.raises(EngineError, match="This platform has run on Docker") as caught:
        choose_runtime(project)
    assert 'runtime = "local"' in caught.value.remedy


def test_auto_stays_with_local_processes_and_does_not_say_so_again(tmp_path: Path) -> None:
    project = project_of(tmp_path, "auto")
    has_begun(project, "supervisord.conf")

    runtime = choose_runtime(project)
    assert (runtime.name, runtime.note) == ("local", "")


def test_docker_never_falls_back(tmp_path: Path) -> None:
    runtime = choose_runtime(project_of(tmp_path, "docker"))

    assert runtime.name == "docker"
    with pytest.raises(EngineError, match="No Docker engine answers"):
        runtime.observe([])


def test_local_is_chosen_without_asking_for_an_engine(tmp_path: Path) -> None:
    runtime = choose_runtime(project_of(tmp_path, "local"))

    assert (runtime.name, runtime.note) == ("local", "")
    assert runtime.observe([]).instances == ()


def test_a_command_may_ask_for_another_runtime(tmp_path: Path) -> None:
    assert choose_runtime(project_of(tmp_path, "local"), "docker").name == "docker"


def test_debian_packages_are_named_that_local_processes_would_need(tmp_path: Path) -> None:
    project = project_of(tmp_path, "local")
    text = project.file.read_text().replace('flows = "flows"', 'flows = "flows"\nsystem = ["git", "curl=8.0"]')
    project = load_project(write_project(tmp_path, text))

    assert "install curl, git on it" in choose_runtime(project).note


def test_pools_are_named_that_local_processes_can_not_keep_from_the_internet(tmp_path: Path) -> None:
    project = project_of(tmp_path, "local")
    text = project.file.read_text().replace("limit = 10", "internet = false")
    project = load_project(write_project(tmp_path, text))

    note = choose_runtime(project).note
    assert note == "Local processes reach all that this machine reaches: `internet = false` of prod needs Docker."


def test_nothing_is_left_to_leave_where_no_local_process_runs(tmp_path: Path) -> None:
    project = project_of(tmp_path, "docker")
    project.local.mkdir(parents=True)

    assert former_runtime(project, choose_runtime(project)) is None


def test_nothing_is_left_to_leave_on_an_engine_that_does_not_answer(tmp_path: Path) -> None:
    project = project_of(tmp_path, "local")
    has_begun(project, "compose.yaml")

    assert former_runtime(project, choose_runtime(project)) is None
