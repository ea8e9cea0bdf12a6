"""up, plan, status, logs, scale, down and render, as typed."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from commands import Cli
from platformctl.errors import PreflightError
from platformctl.model.observed import FlowRun
from projects import DEPLOYMENTS
from worlds import NOON


def test_up_from_nothing_shows_the_address_where_the_password_is_and_what_comes_next(cli: Cli) -> None:
    result = cli("up")

    assert result.exit_code == 0, result.output
    assert "http://127.0.0.1:4200" in result.output
    assert f"password   in {cli.folder / '.platform' / 'secrets' / 'api_password'}" in result.output
    assert (cli.folder / ".platform" / "secrets" / "api_password").read_text() not in result.output
    assert f"platformctl -C {cli.folder} status" in result.output
    assert [call.split()[0] for call in cli.fakes.engine.calls].count("start") == 5
    assert sorted(cli.fakes.prefect.pools) == ["dev", "prod"]
    assert cli.fakes.prefect.pools["prod"].limit == 10
    assert list(cli.fakes.prefect.deployments) == ["hello/nightly"]


def test_a_second_up_asks_the_engine_for_nothing_and_hides_the_password(running: Cli) -> None:
    result = running("up")

    assert result.exit_code == 0
    assert "Nothing to do" in result.output
    assert running.fakes.engine.calls == []
    assert (running.folder / ".platform" / "secrets" / "api_password").read_text() not in result.output


def test_workers_of_the_only_pool_need_no_name(cli: Cli) -> None:
    (cli.folder / "platform.toml").write_text(cli.spec.split("[pools.prod]")[0])
    (cli.folder / "prefect.yaml").unlink()

    result = cli("up", "--workers", "4")

    assert result.exit_code == 0, result.output
    assert "platform.toml: pools.dev.workers: 1 -> 4" in result.output
    assert "workers = 4   # one is enough" in cli.spec
    assert len(cli.fakes.prefect.worker_rows) == 4


def test_workers_of_one_of_several_pools_need_its_name(cli: Cli) -> None:
    before = cli.spec

    result = cli("up", "--workers", "4")

    assert result.exit_code == 2
    assert "There are 2 pools: dev, prod." in result.output
    assert cli.spec == before
    assert cli("up", "--workers", "dev=2", "--workers", "prod=1").exit_code == 0
    assert len(cli.fakes.prefect.worker_rows) == 3


def test_a_wrong_spec_exits_2_and_touches_nothing(cli: Cli) -> None:
    (cli.folder / "platform.toml").write_text(cli.spec + "[server]\nprot = 1\n")

    result = cli("up")

    assert result.exit_code == 2
    assert "unknown key 'server.prot'; did you mean 'port'?" in result.output
    assert not cli.fakes.engine.calls
    assert not (cli.folder / ".platform").exists()


def test_a_file_that_can_not_be_written_is_named(cli: Cli) -> None:
    (cli.folder / ".platform").write_text("a file, where a folder belongs")

    result = cli("up")

    assert result.exit_code == 1
    assert f"{cli.folder / '.platform'}: File exists." in result.output
    assert "Then type the same command" in result.output


def test_a_machine_that_is_not_ready_is_refused_before_anything_is_made(cli: Cli) -> None:
    cli.fakes.engine.refused = PreflightError("Port 4200 is taken.", remedy="Stop it.")

    result = cli("up")

    assert result.exit_code == 1
    assert "Port 4200 is taken." in result.output
    assert not cli.fakes.engine.instances
    assert not (cli.folder / ".platform" / "secrets").exists()


def test_more_processors_than_there_are_are_refused_before_a_worker_is_stopped(running: Cli) -> None:
    running.fakes.engine.processors = 2
    file = running.folder / "platform.toml"
    spec = file.read_text()
    file.write_text(spec.replace("limit = 10", "cpus = 2.5"))

    result = running("up")

    assert result.exit_code == 1
    assert "worker-prod-1 may use 2.5 processors (`cpus`), and the machine has 2." in result.output
    assert not running.fakes.engine.calls
    file.write_text(spec.replace("limit = 10", "cpus = 2"))
    assert running("up").exit_code == 0


@pytest.mark.parametrize("is_down", [False, True])
def test_the_results_that_pools_shared_are_copied_to_each_and_stay(running: Cli, *, is_down: bool) -> None:
    engine = running.fakes.engine
    for name in ("acme_results-dev", "acme_results-prod"):
        del engine.volumes[name]
    engine.volumes["acme_results"] = NOON
    for name, held in engine.instances.items():
        engine.instances[name] = replace(held, release="of before")
    assert not is_down or running("down").exit_code == 0
    engine.calls.clear()

    assert running("up").exit_code == 0

    dev, prod = "copy acme_results to worker-dev-1", "copy acme_results to worker-prod-1"
    copied = [call for call in engine.calls if call.startswith("copy")]
    assert copied == ([dev, prod] if is_down else [dev, prod, dev, prod])
    workers = [number for number, call in enumerate(engine.calls) if "worker" in call and not call.startswith("copy")]
    assert engine.calls.index(prod) < workers[0]
    assert is_down or engine.calls.index(prod, workers[-1])
    assert engine.volumes.keys() >= {"acme_results", "acme_results-dev", "acme_results-prod"}
    assert "Nothing to do" in running("up").output


def test_an_image_that_can_not_be_had_is_named_before_anything_is_made(cli: Cli) -> None:
    cli.fakes.engine.images.clear()
    cli.fakes.engine.withdrawn.add("prefecthq/prefect:3.9.1-python3.13")

    result = cli("up")

    assert result.exit_code == 1
    assert "prefecthq/prefect:3.9.1-python3.13 can't be pulled" in result.output
    assert not (cli.folder / ".platform" / "secrets").exists()
    assert not cli.fakes.engine.instances


def test_a_database_whose_password_is_lost_is_not_locked_out(running: Cli) -> None:
    for file in (running.folder / ".platform" / "secrets").iterdir():
        file.unlink()

    result = running("up")

    assert result.exit_code == running("plan").exit_code == 1
    assert "volume acme_database-18" in result.output
    assert "volume acme_database-18" in running("plan").output
    assert not list((running.folder / ".platform" / "secrets").iterdir())


@pytest.mark.parametrize(
    ("before", "after", "is_down", "made_by"),
    [
        ("17", "18", False, "acme_database was made by PostgreSQL 17."),
        ("17", "18", True, "acme_database was made by PostgreSQL 14 to 17."),
        ("18", "17", True, "acme_database-18 was made by PostgreSQL 18."),
        ("17", "16", False, "acme_database was made by PostgreSQL 17."),
    ],
)
def test_the_data_of_one_major_of_postgresql_is_kept_from_another(
    cli: Cli, before: str, after: str, made_by: str, *, is_down: bool
) -> None:
    cli.fakes.engine.images |= {f"postgres:{before}", f"postgres:{after}"}
    spec = (cli.folder / "platform.toml").read_text()

    def name(major: str) -> None:
        (cli.folder / "platform.toml").write_text(f'{spec}\n[database]\nimage = "postgres:{major}"\n')

    name(before)
    assert cli("up").exit_code == 0
    assert not is_down or cli("down").exit_code == 0
    held = dict(cli.fakes.engine.volumes)
    cli.fakes.engine.calls.clear()
    name(after)

    result = cli("up")

    assert result.exit_code == 1
    assert f"PostgreSQL {after} can't read the data of 'acme': the volume {made_by}" in result.output
    assert is_down or f'Set image = "postgres:{before}" under [database]' in result.output
    assert "docs/upgrades.md" in result.output
    assert cli.fakes.engine.volumes == held
    assert not [call for call in cli.fakes.engine.calls if call.startswith(("start", "stop", "pull"))]
    name(before)
    assert cli("up").exit_code == 0


def test_an_instance_that_fails_is_shown_with_its_last_lines(cli: Cli) -> None:
    cli.fakes.engine.failing["server"] = "ValueError: no such database"

    result = cli("up")

    assert result.exit_code == 1
    assert "acme-server is unhealthy" in result.output
    assert "ValueError: no such database" in result.output
    assert "platformctl logs server" in result.output
    assert not cli.fakes.prefect.worker_rows


def test_up_goes_on_from_where_it_failed(cli: Cli) -> None:
    cli.fakes.engine.failing["server"] = "ValueError"
    cli("up")
    cli.fakes.engine.failing.clear()
    cli.fakes.engine.calls.clear()

    result = cli("up")

    assert result.exit_code == 0, result.output
    assert "start database" not in cli.fakes.engine.calls
    assert len(cli.fakes.prefect.worker_rows) == 3


def test_plan_changes_nothing_and_check_says_whether_there_is_something(cli: Cli) -> None:
    assert cli("plan", "--check").exit_code == 3
    assert cli("plan").exit_code == 0
    assert not cli.fakes.engine.calls
    assert not (cli.folder / ".platform").exists()

    cli("up")

    assert cli("plan", "--check").exit_code == 0
    assert "Nothing to do" in cli("plan").output


def test_plan_shows_the_steps_and_refuses_what_up_refuses(cli: Cli) -> None:
    cli.fakes.engine.refused = PreflightError("Port 4200 is taken.", remedy="Stop it.")

    shown, content = cli("plan"), json.loads(cli("plan", "-o", "json").stdout)

    assert "create    server" in shown.output
    assert "`platformctl up` refuses them" in shown.output
    assert "carries them out" not in shown.output
    assert "Error: Port 4200 is taken.\nNext:  Stop it." in shown.output
    assert shown.exit_code == cli("plan", "--check").exit_code == cli("up").exit_code == 1
    assert content["refused"] == "Port 4200 is taken."


def test_a_plan_as_json_has_resources_actions_causes_and_changes(cli: Cli) -> None:
    content = json.loads(cli("plan", "-o", "json").output)

    assert content["changes"] is True
    assert content["refused"] is None
    change = {"kind": "StartServices", "services": ["database"], "recreate": False}
    wanted = {"resource": "database", "action": "create", "cause": "not there", "change": change}
    assert wanted in content["steps"]


def test_status_as_json_has_the_documented_fields(running: Cli) -> None:
    content = json.loads(running("status", "-o", "json").output)

    assert content["name"] == "acme"
    assert content["runtime"] == "docker"
    assert content["server"] == {
        "url": "http://127.0.0.1:4200",
        "healthy": True,
        "version": "3.9.1",
        "state": "healthy",
    }
    assert content["database"] == {"healthy": True, "name": "postgres:18", "state": "healthy"}
    assert (content["problem"], content["remedy"]) == ("", "")
    assert content["pools"][1] == {
        "name": "prod",
        "type": "warm",
        "workers_wanted": 2,
        "workers_online": 2,
        "paused": False,
        "limit": 10,
        "state": "ready",
    }
    assert content["images"][0]["name"] == "pipelines"
    assert len(content["images"][0]["tag"]) == 12
    assert content["images"][0]["running"] == [content["images"][0]["tag"]]


def test_status_of_a_platform_that_is_down_says_so(cli: Cli) -> None:
    result = cli("status")

    assert result.exit_code == 0
    assert "server           not there" in result.output
    assert "0 of 2" in result.output
    assert "The platform isn't running.\nNext:  `platformctl up` starts it." in result.output


def test_scale_edits_the_file_and_starts_what_is_missing(running: Cli) -> None:
    result = running("scale", "prod=3")

    assert result.exit_code == 0, result.output
    assert "pools.prod.workers: 2 -> 3" in result.output
    assert running.fakes.engine.calls[-1] == "start worker-prod-3"
    assert not [call for call in running.fakes.engine.calls if call.startswith("stop")]


def test_scaling_down_drains_what_is_too_many_and_forgets_it(running: Cli) -> None:
    run = FlowRun("r1", "brave-otter", "RUNNING", "Running", datetime.now(UTC), "prod", "acme-worker-prod-2")
    running.fakes.prefect.flow_runs["r1"] = run
    (running.folder / "platform.toml").write_text(running.spec.replace("limit = 10", "limit = 10\ngrace = 0"))

    result = running("scale", "prod=1")

    assert result.exit_code == 0, result.output
    assert running.fakes.prefect.flow_runs["r1"].state_type == "CRASHED"
    assert "its worker acme-worker-prod-2 is gone" in running.fakes.prefect.messages["r1"]
    assert "acme-worker-prod-2" not in running.fakes.prefect.worker_rows
    assert "acme-worker-prod-1" in running.fakes.prefect.worker_rows
    assert not running.fakes.prefect.pools["prod"].is_paused


def test_a_worker_that_drains_is_given_its_grace_and_its_pool_goes_on(running: Cli) -> None:
    assert running("scale", "prod=1").exit_code == 0

    assert running.fakes.engine.calls[-1] == "stop acme-worker-prod-2 within 105 s"
    assert running.fakes.prefect.paused == []


def test_a_worker_that_would_kill_its_runs_is_stopped_in_a_paused_pool(running: Cli) -> None:
    """Also where what is wanted by now drains by itself: it is the worker that runs which matters."""
    assert running("pools", "set", "prod", "--type", "process").exit_code == 0
    assert running.fakes.prefect.paused == []

    assert running("pools", "set", "prod", "--type", "warm").exit_code == 0

    assert "stop acme-worker-prod-1 acme-worker-prod-2 within 10 s" in running.fakes.engine.calls
    assert running.fakes.prefect.paused == ["prod"]
    assert not running.fakes.prefect.pools["prod"].is_paused


def test_scale_of_what_does_not_run_only_edits_the_file(cli: Cli) -> None:
    result = cli("scale", "prod=3")

    assert result.exit_code == 0
    assert "isn't running" in result.output
    assert "workers = 3" in cli.spec
    assert not cli.fakes.engine.calls


def test_absurd_scales_are_refused_and_the_file_stays(running: Cli) -> None:
    before = running.spec
    for words, said in (
        ("prod=1000", "expected at most 200"),
        ("prd=2", "did you mean 'prod'?"),
        ("prod=-1", "is not a number of workers"),
        ("prod=many", "is not a number of workers"),
        ("=3", "is not a number of workers"),
    ):
        result = running("scale", words)
        assert result.exit_code == 2, words
        assert said in result.output
    assert running.spec == before


def test_logs_name_services_and_pools(running: Cli) -> None:
    assert running("logs", "server").output == "server | hello\n"
    assert running("logs", "prod", "-n", "5").output == "worker-prod-1 | hello\nworker-prod-2 | hello\n"
    assert running("logs", "acme-worker-prod-2", "server").output == "worker-prod-2 | hello\nserver | hello\n"
    every = running("logs").output.splitlines()
    assert {line.partition(" |")[0] for line in every} == {
        held.service for held in running.fakes.engine.instances.values()
    }
    for wrong, right in (("sever", "server"), ("prd", "prod")):
        result = running("logs", wrong)
        assert result.exit_code == 2
        assert f"Nothing is named '{wrong}'" in result.output
        assert f"did you mean '{right}'?\nNext:  Name '{right}' instead." in result.output
    assert "Name one of: database, dev, migrate, prod, server, worker-dev-1," in running("logs", "zyx").output


def test_logs_are_followed_and_cut_as_asked(running: Cli) -> None:
    running("logs", "server", "-n", "5")
    running("logs", "server", "--follow")
    asked = [call for call in running.fakes.engine.calls if call.startswith("logs")]
    assert asked[0] == "logs follow=False tail=5"
    assert asked[1].startswith("logs follow=True")


def test_without_a_platform_there_are_no_logs(cli: Cli) -> None:
    result = cli("logs")
    assert result.exit_code == 1
    assert "There are no logs: 'acme' isn't running." in result.output
    assert "`platformctl up` starts it." in result.output


def test_help_names_what_logs_takes_and_what_exit_codes_mean(cli: Cli) -> None:
    assert "server, database, migrate, a pool" in " ".join(cli("logs", "--help").output.split())
    said = " ".join(cli("--help").output.split())
    for meaning in (
        "0 done",
        "1 failed",
        "2 the command line",
        "3 `plan --check`, `deploy --check` or `lock --check`",
        "130 interrupted",
    ):
        assert meaning in said


def test_down_removes_everything_but_the_data(running: Cli) -> None:
    result = running("down")

    assert result.exit_code == 0, result.output
    assert "Its data stays" in result.output
    assert not running.fakes.engine.instances
    assert not running.fakes.engine.networks
    assert running.fakes.engine.volumes
    assert not any(pool.is_paused for pool in running.fakes.prefect.pools.values())
    assert "Nothing to do: the platform isn't running." in running("down").output


def test_down_with_volumes_names_what_is_lost_and_asks(running: Cli) -> None:
    refused = running("down", "--volumes")

    assert refused.exit_code == 1
    assert "acme_database-18: flow runs, logs" in refused.output
    assert running.fakes.engine.instances

    assert running("down", "--volumes", "--yes").exit_code == 0
    assert not running.fakes.engine.volumes


def test_render_writes_the_bundle_and_starts_nothing(cli: Cli) -> None:
    first, second = cli("render"), cli("render")

    assert "compose.yaml" in first.output
    assert "0 files changed" in second.output
    assert not cli.fakes.engine.calls
    home = cli.folder / ".platform"
    assert "worker-prod-2" in (home / "bundle" / "compose.yaml").read_text()
    assert {"database_password", "api_password"} <= {file.name for file in (home / "secrets").iterdir()}
    assert "compose.yaml" not in second.output


def test_a_plan_notes_what_a_schedule_does_when_clocks_change(cli: Cli) -> None:
    schedules = "    schedules: [{cron: 0 9 * * *, timezone: Europe/Berlin}, {interval: 86400}, {interval: 86400, active: false}]\n"
    (cli.folder / "prefect.yaml").write_text(DEPLOYMENTS + schedules, encoding="utf-8")

    result = cli("plan")

    assert result.exit_code == 0, result.output
    (note,) = [line for line in result.output.splitlines() if line.startswith("Note:")]
    assert note.startswith("Note:  prefect.yaml:5: deployment 'nightly': its days are counted in UTC")
    assert json.loads(cli("plan", "-o", "json").output)["notes"] == [note.removeprefix("Note:  ")]
    (cli.folder / "prefect.yaml").write_text(DEPLOYMENTS, encoding="utf-8")
    assert "Note:" not in cli("plan").output
