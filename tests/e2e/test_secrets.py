"""Where a platform's passwords are, and where they are not."""

import json
import stat

import pytest
import requests

from e2e.stack import Stack
from e2e.waiting import step


@pytest.fixture
def secrets(running: Stack) -> list[str]:
    return [running.secret("database_password"), running.secret("api_password")]


def test_no_secret_is_in_what_the_engine_says_of_containers(running: Stack, secrets: list[str]) -> None:
    said = json.dumps(running.inspect(), default=str)
    assert [secret for secret in secrets if secret in said] == []


def test_no_secret_is_in_what_the_engine_says_of_images(running: Stack, secrets: list[str]) -> None:
    used = [running.engine.images.get(found["Image"]) for found in running.inspect().values()]
    said = json.dumps([(image.attrs, image.history()) for image in used])
    assert [secret for secret in secrets if secret in said] == []


def test_no_secret_is_in_a_rendered_file(running: Stack, secrets: list[str]) -> None:
    rendered = [path for path in running.bundle.rglob("*") if path.is_file()]
    assert running.bundle / "compose.yaml" in rendered
    text = "\n".join(path.read_text(encoding="utf-8") for path in rendered)
    assert [secret for secret in secrets if secret in text] == []


def test_no_secret_is_on_a_command_line(running: Stack, secrets: list[str]) -> None:
    alive = [found for found in running.containers().values() if found.status == "running"]
    lines = json.dumps([container.top(ps_args="-eo pid,args")["Processes"] for container in alive])
    assert "prefect" in lines
    assert [secret for secret in secrets if secret in lines] == []


def test_no_secret_is_in_the_environment_of_a_flow_run(running: Stack, secrets: list[str]) -> None:
    step("A process that a worker starts sees what the worker sees.")
    said = running.execute("worker-default-1", "env")
    assert "PREFECT_API_URL" in said
    assert [secret for secret in secrets if secret in said] == []


def test_a_worker_has_no_password_of_the_database(running: Stack) -> None:
    said = running.execute("worker-default-1", "sh", "-c", "cat /run/secrets/*")
    assert running.secret("api_password") in said
    assert running.secret("database_password") not in said


def test_the_folder_of_secrets_is_closed_to_others(running: Stack) -> None:
    folder = running.folder / ".platform" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("auth", [None, ("admin", "wrong")], ids=["no password", "a wrong password"])
def test_the_api_is_closed_without_the_password(running: Stack, auth: tuple[str, str] | None) -> None:
    for path in ("admin/version", "work_pools/default"):
        assert requests.get(f"{running.server.url}/{path}", auth=auth, timeout=10).status_code == 401


def test_readiness_is_told_without_a_password(running: Stack) -> None:
    assert requests.get(f"{running.server.url}/ready", timeout=10).status_code == 200


def test_up_without_the_secrets_of_an_existing_database_changes_nothing(running: Stack) -> None:
    before, folder = running.starts(), running.folder / ".platform" / "secrets"
    aside = folder.rename(folder.with_name("aside"))
    try:
        step("The folder of secrets is gone, and the database is not.")
        result = running.ctl("up")
        made = folder.exists()
    finally:
        aside.rename(folder)
    assert result.code == 1
    assert f"{running.name}_database" in result.err
    assert not made
    assert running.starts() == before
