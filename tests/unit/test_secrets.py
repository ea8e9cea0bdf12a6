"""Secrets are made once, differ between platforms, and other users of the host can't reach them."""

from pathlib import Path

import pytest

from platformctl.errors import SpecError
from platformctl.spec.load import Project, load_project
from platformctl.state.secrets import missing_secrets, read_secrets, unwritten_secrets, write_secrets
from projects import SPEC, write_project

URL = '\n[database]\nurl = "postgresql://prefect:${PASSWORD}@db.example/prefect"\n'


def project_in(folder: Path, spec: str = SPEC) -> Project:
    return load_project(write_project(folder, spec))


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write_secrets(project)
    first = {file.name: file.read_text() for file in project.secrets.iterdir()}
    write_secrets(project)

    assert {file.name: file.read_text() for file in project.secrets.iterdir()} == first
    assert unwritten_secrets(project) == ()


def test_the_folder_is_closed_and_containers_can_read_the_files(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write_secrets(project)

    assert project.secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in project.secrets.iterdir()} == {0o444}


def test_two_platforms_share_no_secret(tmp_path: Path) -> None:
    projects = [project_in(tmp_path / name) for name in ("a", "b")]
    for project in projects:
        write_secrets(project)
    a, b = (read_secrets(project.secrets) for project in projects)

    values = {secret.get_secret_value() for held in (a, b) for secret in (held.database_password, held.api_password)}
    assert len(values) == 4
    assert all(len(value) >= 32 for value in values)
    assert not any(value in repr(a) for value in values)


def test_a_lost_profile_is_made_again_from_the_same_secret(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write_secrets(project)
    profile = project.secrets / "client.toml"
    before = profile.read_text()
    profile.unlink()

    assert missing_secrets(project.secrets) == ()
    assert unwritten_secrets(project) == ("client.toml",)
    write_secrets(project)
    assert profile.read_text() == before


def test_clients_get_no_database_password(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write_secrets(project)
    texts = {file.name: file.read_text() for file in project.secrets.iterdir()}

    assert texts["database_password"] not in texts["client.toml"]
    assert texts["api_password"] in texts["client.toml"]
    assert texts["database_password"] in texts["server.toml"]


def test_the_password_of_an_own_database_comes_from_the_environment_once(tmp_path: Path) -> None:
    project = project_in(tmp_path, SPEC + URL)
    write_secrets(project, {"PASSWORD": "s3c:ret/%"})

    wanted = '"postgresql+asyncpg://prefect:s3c%3Aret%2F%25@db.example:5432/prefect"'
    assert wanted in (project.secrets / "server.toml").read_text()
    assert unwritten_secrets(project, {}) == ()
    assert unwritten_secrets(project, {"PASSWORD": "another"}) == ("server.toml",)
    assert "db.example" not in (project.secrets / "client.toml").read_text()


def test_a_database_without_its_password_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    project = project_in(tmp_path, SPEC + URL)

    with pytest.raises(SpecError, match=r"\$\{PASSWORD\}, which isn't set"):
        unwritten_secrets(project, {})
    with pytest.raises(SpecError):
        write_secrets(project, {})
    assert not project.secrets.exists()
