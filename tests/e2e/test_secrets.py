"""Where a platform's passwords are, and where they are not."""

import json
import shutil
import stat

import pytest
import requests

from e2e.conftest import NewStack
from e2e.docker_machine import DockerMachine
from e2e.stack import Stack
from e2e.waiting import step


def _secrets(stack: Stack) -> list[str]:
    return [stack.secret("database_password"), stack.secret("api_password")]


def test_no_secret_is_in_what_the_engine_says_of_containers(running_docker: Stack, engine_view: DockerMachine) -> None:
    said = json.dumps(engine_view.inspect(), default=str)
    assert [secret for secret in _secrets(running_docker) if secret in said] == []


def test_no_secret_is_in_what_the_engine_says_of_images(running_docker: Stack, engine_view: DockerMachine) -> None:
    used = [engine_view.engine.images.get(found["Image"]) for found in engine_view.inspect().values()]
    said = json.dumps([(image.attrs, image.history()) for image in used])
    assert [secret for secret in _secrets(running_docker) if secret in said] == []


def test_no_secret_is_in_a_rendered_file(running: Stack) -> None:
    rendered = [path for path in running.bundle.rglob("*") if path.is_file()]
    assert running.bundle / running.machine.manifest in rendered
    content = b"\n".join(path.read_bytes() for path in rendered)
    assert [secret for secret in _secrets(running) if secret.encode() in content] == []


def test_no_secret_is_on_a_command_line(running: Stack) -> None:
    lines = running.machine.command_lines()
    assert running.name in lines
    assert [secret for secret in _secrets(running) if secret in lines] == []


def test_no_secret_is_in_the_environment_of_a_service(running: Stack) -> None:
    said = "\n".join(running.machine.environments(service) for service in ("server", "worker-default-1"))
    assert "PATH=" in said
    assert [secret for secret in _secrets(running) if secret in said] == []


def test_a_worker_has_no_password_of_the_database(running_docker: Stack) -> None:
    said = running_docker.machine.execute("worker-default-1", "sh", "-c", "cat /run/secrets/*")
    assert running_docker.secret("api_password") in said
    assert running_docker.secret("database_password") not in said


def test_the_folder_of_secrets_is_closed_to_others(running: Stack) -> None:
    folder = running.folder / ".platform" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("auth", [None, ("admin", "wrong")], ids=["no password", "a wrong password"])
def test_the_api_is_closed_without_the_password(running: Stack, auth: tuple[str, str] | None) -> None:
    for path in ("admin/version", "work_pools/default"):
        assert requests.get(f"{running.server.url}/{path}", auth=auth, timeout=10).status_code == 401


def test_readiness_is_told_without_a_password(running: Stack) -> None:
    assert requests.get(f"{running.server.url}/ready", timeout=10).status_code == 200


def test_up_without_the_secrets_of_what_runs_changes_nothing(running: Stack) -> None:
    before, folder = running.starts(), running.folder / ".platform" / "secrets"
    aside = folder.rename(folder.with_name("aside"))
    try:
        step("The folder of secrets is gone, and the database and the server are not.")
        result = running.ctl("up")
        assert not folder.exists()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    assert result.code == 1
    assert f"its password is not in {folder}" in result.err
    assert running.starts() == before


def test_a_local_platform_gets_new_secrets_with_its_data_kept(new_local_stack: NewStack) -> None:
    stack = new_local_stack(workers=0)
    stack.must("up")
    shutil.rmtree(stack.folder / ".platform" / "secrets")
    step("The database has no password: what runs is taken down, and comes back with another one.")
    stack.must("down")
    stack.must("up")
    assert stack.server.ask("GET", "/deployments/name/hello/hello")["name"] == "hello"
