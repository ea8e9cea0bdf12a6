"""What a command must have done when it ends, and what it must have left alone: the fakes are as strict as what they stand for."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from commands import Cli
from platformctl.model.observed import FlowRun
from projects import FLOW

TWO_IMAGES = """\
deployments:
  - {name: nightly, entrypoint: "flows/hello.py:hello", work_pool: {name: prod}}
  - {name: weekly, entrypoint: "more/hello.py:hello", work_pool: {name: more}}
"""


def begin(cli: Cli, state: str, worker: str | None, *, pool: str = "prod", seconds: float | None = None) -> None:
    """Have a flow run r1. seconds: what it needs until it is Completed, if it is given them."""
    run = FlowRun("r1", "brave-otter", state, state.capitalize(), datetime.now(UTC), pool, worker)
    cli.fakes.prefect.flow_runs["r1"] = run
    if seconds is not None:
        cli.fakes.prefect.seconds_left["r1"] = seconds


def state_of(cli: Cli) -> str:
    """Return the state that r1 is in."""
    return cli.fakes.prefect.flow_runs["r1"].state_type


def test_what_is_not_there_is_pulled(cli: Cli) -> None:
    cli.fakes.engine.images.clear()

    result = cli("up")

    assert result.exit_code == 0, result.output
    pulled = {call for call in cli.fakes.engine.calls if call.startswith("pull")}
    assert pulled == {"pull postgres:18", "pull prefecthq/prefect:3.9.1-python3.13"}


@pytest.mark.parametrize("command", [["up"], ["build-image"]])
def test_a_build_gets_its_secrets(cli: Cli, command: list[str]) -> None:
    (cli.folder / "platform.toml").write_text(cli.spec + '\n[build]\nca = "ca.pem"\n')
    (cli.folder / "ca.pem").write_text("certificate")

    result = cli(*command)

    assert result.exit_code == 0, result.output
    assert any(call.startswith("build pipelines") for call in cli.fakes.engine.calls)


@pytest.mark.parametrize("command", [["up"], ["build-image"]])
def test_a_build_that_fails_leaves_what_services_are_started_from(running: Cli, command: list[str]) -> None:
    (running.folder / "flows" / "hello.py").write_text(f"import pandsa\n{FLOW}")
    running.fakes.engine.failing["image pipelines"] = "No module named 'pandsa'"
    compose = running.folder / ".platform" / "bundle" / "compose.yaml"
    before, instances = compose.read_text(), dict(running.fakes.engine.instances)

    assert running(*command).exit_code == 1
    assert compose.read_text() == before
    assert running.fakes.engine.instances == instances
    assert "build     image pipelines" in running("plan").output

    running.fakes.engine.failing.clear()
    assert running("up").exit_code == 0
    assert compose.read_text() != before
    assert "Nothing to do" in running("up").output


def test_a_worker_that_does_not_come_online_fails_the_command(cli: Cli) -> None:
    cli.fakes.engine.failing["worker-prod-2"] = "ImportError: no module named pandas"

    result = cli("up")

    assert result.exit_code == 1
    assert "ImportError: no module named pandas" in result.output


def test_a_scaled_up_worker_that_does_not_come_online_fails_the_command(running: Cli) -> None:
    running.fakes.engine.failing["worker-prod-3"] = "ImportError: no module named pandas"

    result = running("scale", "prod=3")

    assert result.exit_code == 1
    assert "ImportError: no module named pandas" in result.output
    assert "platform.toml was set back to what it was before this command." in result.output
    assert "workers = 2" in running.spec
    assert "workers = 3" not in running.spec


@pytest.mark.parametrize(
    "command", [["pools", "create", "etl"], ["pools", "set", "prod", "--workers", "3"], ["up", "--workers", "prod=3"]]
)
def test_a_command_that_fails_leaves_platform_toml_as_it_was(running: Cli, command: list[str]) -> None:
    running.fakes.engine.failing |= {"worker-prod-3": "ImportError", "worker-etl-1": "ImportError"}
    before, instances = running.spec, set(running.fakes.engine.instances)

    assert running(*command).exit_code == 1
    assert running.spec == before

    assert running("up").exit_code == 0
    assert set(running.fakes.engine.instances) == instances


def test_a_pool_that_can_not_be_paused_is_not_paused_in_platform_toml(running: Cli) -> None:
    before = running.spec
    del running.fakes.prefect.pools["prod"]

    assert running("pools", "pause", "prod").exit_code != 0
    assert running.spec == before


@pytest.mark.parametrize("command", [["scale", "prod=9"], ["up", "--workers", "prod=9"]])
def test_workers_that_do_not_fit_are_refused_before_anything_is_changed(running: Cli, command: list[str]) -> None:
    running.fakes.engine.memory = 7 * 1024**3
    before = running.spec

    result = running(*command)

    assert result.exit_code == 1
    assert "may use 12.0 GiB of memory, and the machine has 7.0 GiB: 9 workers of 'prod' may use 1g" in result.output
    assert "4 of them fit." in result.output
    assert running.spec == before
    assert running.fakes.engine.calls == []


def test_more_workers_than_the_processor_carries_are_refused(running: Cli) -> None:
    running.fakes.engine.processors = 1
    before = running.spec

    result = running("scale", "prod=32")

    assert result.exit_code == 1
    assert "33 workers are wanted, and the machine can run 32: 32 for each CPU." in result.output
    assert running.spec == before
    assert running.fakes.engine.calls == []
    assert running("scale", "prod=31").exit_code == 0


def test_workers_that_do_not_fit_are_refused_where_nothing_runs_yet(cli: Cli) -> None:
    cli.fakes.engine.memory = 4 * 1024**3
    before = cli.spec

    for command in (["scale", "prod=3"], ["up"], ["plan"]):
        result = cli(*command)
        assert result.exit_code == 1
        assert "the machine has 4.0 GiB" in result.output
    assert cli.spec == before
    assert not cli.fakes.engine.instances


def test_workers_that_run_already_are_left_alone_where_they_do_not_fit(running: Cli) -> None:
    running.fakes.engine.memory = 2 * 1024**3

    assert "Nothing to do" in running("up").output
    assert running("scale", "prod=1").exit_code == 0
    assert running("scale", "prod=2").exit_code == 1


def test_an_instance_that_hangs_is_made_anew(running: Cli) -> None:
    held = running.fakes.engine.instances["acme-server"]
    running.fakes.engine.instances["acme-server"] = replace(held, health="unhealthy")

    result = running("up")

    assert result.exit_code == 0, result.output
    assert running.fakes.engine.instances["acme-server"].id != held.id
    assert running.fakes.engine.instances["acme-server"].is_ready


def test_what_a_server_that_was_gone_holds_is_left_as_it_is(running: Cli) -> None:
    running.fakes.engine.kill("acme-server")
    before = dict(running.fakes.prefect.pools)

    result = running("up")

    assert result.exit_code == 0, result.output
    assert "pool" not in result.output
    assert not [call for call in running.fakes.engine.calls if call.startswith(("describe", "build", "pull"))]
    assert running.fakes.prefect.pools == before


def test_what_was_lost_with_a_database_is_there_again(running: Cli) -> None:
    """What Prefect lacks can be seen only once its server answers."""
    running.fakes.engine.kill("acme-server")
    running.fakes.prefect.forget()

    result = running("up")

    assert result.exit_code == 0, result.output
    assert sorted(running.fakes.prefect.pools) == ["dev", "prod"]
    assert "hello/nightly" in running.fakes.prefect.deployments
    assert "Nothing to do" in running("up").output


def test_the_automation_that_crashed_healthy_runs_is_removed(running: Cli) -> None:
    running.fakes.prefect.zombie_automations = ("a1",)

    result = running("up")

    assert "remove automation zombies" in result.output
    assert not running.fakes.prefect.observe().zombie_automations
    assert "Nothing to do" in running("up").output


def test_a_pool_learns_the_job_variables_that_it_lacks(running: Cli) -> None:
    held = running.fakes.prefect.pools["prod"]
    running.fakes.prefect.pools["prod"] = replace(held, missing_variables=("memory_limit", "max_run_seconds"))

    assert running("up").exit_code == 0
    assert running.fakes.prefect.pools["prod"] == held


def test_a_run_that_only_finishes_if_it_is_waited_for_completes(running: Cli) -> None:
    assert running("pools", "set", "prod", "--type", "process").exit_code == 0
    begin(running, "RUNNING", "acme-worker-prod-2", seconds=4)

    result = running("scale", "prod=1")

    assert result.exit_code == 0, result.output
    assert state_of(running) == "COMPLETED"
    assert not running.fakes.prefect.pools["prod"].is_paused


@pytest.mark.parametrize(("seconds", "state"), [(50, "COMPLETED"), (500, "CRASHED")])
def test_a_worker_that_drains_gets_the_grace_of_its_pool(running: Cli, seconds: float, state: str) -> None:
    begin(running, "RUNNING", "acme-worker-prod-2", seconds=seconds)

    assert running("scale", "prod=1").exit_code == 0
    assert state_of(running) == state


def test_runs_of_workers_that_stay_are_left_alone(running: Cli) -> None:
    begin(running, "RUNNING", "acme-worker-prod-1")

    assert running("scale", "prod=1").exit_code == 0
    assert state_of(running) == "RUNNING"


@pytest.mark.parametrize(("begun", "state"), [("PENDING", "SCHEDULED"), ("RUNNING", "CRASHED")])
def test_a_run_of_a_worker_that_was_killed_is_scheduled_anew_or_crashed(running: Cli, begun: str, state: str) -> None:
    begin(running, begun, "acme-worker-prod-2")
    running.fakes.engine.kill("acme-worker-prod-2")

    assert running("up").exit_code == 0
    assert state_of(running) == state


def test_runs_of_other_pools_survive_the_deletion_of_one(running: Cli) -> None:
    begin(running, "SCHEDULED", None)

    result = running("pools", "delete", "dev", "--yes")

    assert result.exit_code == 0, result.output
    assert state_of(running) == "SCHEDULED"


def test_the_deployments_of_one_image_are_left_alone_when_another_changes(cli: Cli) -> None:
    spec = cli.spec + '\n[images.more]\nflows = "more"\n\n[pools.more]\nimage = "more"\n'
    spec = spec.replace("[pools.dev]", '[pools.dev]\nimage = "pipelines"')
    (cli.folder / "platform.toml").write_text(spec.replace("[pools.prod]", '[pools.prod]\nimage = "pipelines"'))
    (cli.folder / "prefect.yaml").write_text(TWO_IMAGES)
    (cli.folder / "more").mkdir()
    (cli.folder / "more" / "hello.py").write_text((cli.folder / "flows" / "hello.py").read_text())
    assert cli("up").exit_code == 0
    assert len(cli.fakes.prefect.deployments) == 2

    (cli.folder / "more" / "hello.py").write_text("# changed\n" + (cli.folder / "flows" / "hello.py").read_text())
    assert cli("up").exit_code == 0

    assert len(cli.fakes.prefect.deployments) == 2
    assert [call for call in cli.fakes.engine.calls if call.startswith("describe")].count("describe pipelines") == 1
    assert "Nothing to do" in cli("up").output
