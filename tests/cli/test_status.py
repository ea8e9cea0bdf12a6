"""`status`: what runs, what is wrong with it, and what monitoring asks."""

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest

from commands import Cli


def content_of(cli: Cli) -> dict[str, Any]:
    """Return what `status` prints as JSON."""
    found: dict[str, Any] = json.loads(cli("status", "-o", "json").stdout)
    return found


def change(cli: Cli, name: str, **fields: object) -> None:
    """Change an instance."""
    held = cli.fakes.engine.instances[name]
    cli.fakes.engine.instances[name] = replace(held, **fields)  # type: ignore[arg-type]  # fields of it


def test_check_says_in_one_line_that_nothing_is_wrong(running: Cli) -> None:
    result = running("status", "--check")

    assert (result.exit_code, result.output) == (0, "acme: everything in platform.toml is running.\n")
    assert running("status", "--check", "-o", "json").exit_code == 0


def test_a_server_that_exited_is_not_called_unhealthy_and_check_exits_1(running: Cli) -> None:
    running.fakes.engine.kill("acme-server")

    result = running("status")
    assert result.exit_code == 0
    assert "server           exited with code 137" in result.output
    assert "healthy, Prefect" not in result.output
    assert "Next:  `platformctl up` repairs that; `platformctl logs server` shows what it wrote." in result.output

    checked = running("status", "--check")
    assert checked.exit_code == 1
    assert checked.output == "acme: The server is not healthy: exited with code 137.\n"
    assert running("status", "--check", "-o", "json").exit_code == 1


def test_a_pool_that_lacks_workers_is_degraded_and_not_ready(running: Cli) -> None:
    running.fakes.engine.kill("acme-worker-prod-2")

    shown = running("status").output
    assert "1 of 2" in shown
    assert "degraded" in shown
    assert running("status", "--check").output == "acme: 1 of 2 workers of 'prod' are online.\n"
    rows = {row["name"]: row["state"] for row in json.loads(running("pools", "ls", "-o", "json").output)}
    assert rows == {"dev": "ready", "prod": "degraded"}


def test_a_pool_is_not_missing_because_the_server_is_down(running: Cli) -> None:
    running.fakes.engine.kill("acme-server")

    rows = json.loads(running("pools", "ls", "-o", "json").output)
    assert {row["state"] for row in rows} == {"unknown"}


def test_the_image_that_runs_is_shown_beside_the_one_that_is_wanted(running: Cli) -> None:
    (image,) = content_of(running)["images"]
    (running.folder / "flows" / "hello.py").write_text("from prefect import flow\n")
    (wanted,) = content_of(running)["images"]

    assert wanted["tag"] != image["tag"]
    assert wanted["running"] == [image["tag"]]
    assert not wanted["built"]
    assert f"{image['tag']} runs; {wanted['tag']} (not built) is wanted" in running("status").output


def test_a_database_that_exited_is_named_with_its_code(running: Cli) -> None:
    change(running, "acme-database", status="exited", health="none", exit_code=1)

    assert "database         exited with code 1, postgres:18" in running("status").output
    assert "The database is not healthy: exited with code 1." in running("status", "--check").output


def test_a_server_whose_secrets_are_lost_is_not_called_down(running: Cli) -> None:
    shutil.rmtree(running.folder / ".platform" / "secrets")

    shown = running("status")
    assert shown.exit_code == 0
    assert "server           healthy, but its password is missing here" in shown.output
    assert "its password is not in" in shown.output
    assert f"Next:  Restore {running.folder / '.platform' / 'secrets'} from your copy" in shown.output
    assert "not answering" not in shown.output
    assert "platform.name" not in shown.output
    assert running("status", "--check").exit_code == 1


@pytest.mark.parametrize("command", [["plan"], ["up"], ["scale", "prod=3"], ["down"], ["pools", "create", "etl"]])
def test_a_renamed_platform_is_refused_while_the_old_one_runs(running: Cli, command: list[str]) -> None:
    renamed = running.spec.replace('name = "acme"', 'name = "beta"')
    (running.folder / "platform.toml").write_text(renamed)
    instances = dict(running.fakes.engine.instances)

    result = running(*command)

    assert result.exit_code == 1
    assert "The platform 'acme' runs from this folder, and platform.toml calls it 'beta' now." in result.output
    assert 'Set name = "acme" again' in result.output
    assert "create" not in result.output
    assert running.fakes.engine.instances == instances
    assert running.spec == renamed
    assert "calls it 'beta' now" in running("status").output


def test_a_platform_that_is_down_may_be_renamed(running: Cli) -> None:
    assert running("down").exit_code == 0
    (running.folder / "platform.toml").write_text(running.spec.replace('name = "acme"', 'name = "beta"'))

    assert running("up").exit_code == 0
    assert "beta-server" in running.fakes.engine.instances
    assert "acme-server" not in running.fakes.engine.instances
