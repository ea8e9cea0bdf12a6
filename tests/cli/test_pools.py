"""Pools, as typed."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from commands import Cli
from platformctl.model.observed import FlowRun, WorkPool


def test_create_writes_the_file_and_makes_the_pools_with_their_workers(running: Cli) -> None:
    result = running("pools", "create", "etl", "ml", "--workers", "2", "--limit", "5")

    assert result.exit_code == 0, result.output
    assert "[pools.etl]\nworkers = 2\nlimit = 5" in running.spec
    assert running.fakes.prefect.pools["ml"] == WorkPool("ml", "warm", 5, "", is_paused=False)
    assert len([name for name in running.fakes.prefect.worker_rows if "-etl-" in name]) == 2


def test_create_refuses_what_is_there_or_illegal_and_leaves_the_file(running: Cli) -> None:
    before = running.spec
    for words, said in (
        (["dev"], "is in platform.toml already"),
        (["a", "a"], "twice"),
        (["Bad_Name"], "is not a legal name"),
        (["a", "--type", "warp"], "is not one of 'warm', 'process'"),
        (["a", "--image", "pipelins"], "did you mean 'pipelines'?"),
    ):
        result = running("pools", "create", *words)
        assert result.exit_code == 2, result.output
        assert said in result.output
    assert running.spec == before
    assert sorted(running.fakes.prefect.pools) == ["dev", "prod"]


def test_set_changes_only_what_is_named(running: Cli) -> None:
    running.fakes.prefect.pools["prod"] = replace(running.fakes.prefect.pools["prod"], is_paused=True)

    assert running("pools", "set", "prod", "--limit", "4").exit_code == 0
    assert running.fakes.prefect.pools["prod"] == WorkPool("prod", "warm", 4, "", is_paused=True)
    assert running("pools", "set", "prod", "--no-limit").exit_code == 0
    assert running.fakes.prefect.pools["prod"].limit is None
    assert running("pools", "set", "prod").exit_code == 2


def test_a_pool_stays_as_it_was_made_when_its_workers_become_others(running: Cli) -> None:
    running.fakes.engine.calls.clear()

    assert running("pools", "set", "prod", "--type", "process").exit_code == 0
    assert 'type = "process"' in running.spec
    assert {"start worker-prod-1", "start worker-prod-2"} <= set(running.fakes.engine.calls)
    assert running.fakes.prefect.pools["prod"].type == "warm"
    assert "Nothing to do" in running("up").output


def test_pause_and_resume_are_recorded_and_done_at_once(running: Cli) -> None:
    assert running("pools", "pause", "prod").exit_code == 0
    assert running.fakes.prefect.pools["prod"].is_paused
    assert "paused = true" in running.spec
    assert "Nothing to do" in running("up").output
    assert running("pools", "resume", "prod").exit_code == 0
    assert not running.fakes.prefect.pools["prod"].is_paused


def test_ls_shows_what_is_wanted_what_is_there_and_what_is_foreign(running: Cli) -> None:
    running.fakes.prefect.pools["by-hand"] = WorkPool("by-hand", "process", None, "", is_paused=False)

    rows = {row["name"]: row for row in json.loads(running("pools", "ls", "-o", "json").output)}

    assert rows["prod"]["workers_online"] == 2
    assert rows["prod"]["state"] == "ready"
    assert rows["by-hand"]["state"] == "foreign"
    assert "by-hand" in running("pools", "ls").output


def test_delete_names_the_runs_it_would_end_and_asks(running: Cli) -> None:
    (running.folder / "prefect.yaml").unlink()
    run = FlowRun("r1", "brave-otter", "SCHEDULED", "Late", datetime.now(UTC), "prod", None)
    running.fakes.prefect.flow_runs["r1"] = run

    refused = running("pools", "delete", "prod")

    assert refused.exit_code == 1
    assert "brave-otter  Late" in refused.output
    assert "[pools.prod]" in running.spec

    agreed = running("pools", "delete", "prod", "--yes")

    assert agreed.exit_code == 0, agreed.output
    assert "[pools.prod]" not in running.spec
    assert sorted(running.fakes.prefect.pools) == ["dev"]
    assert running.fakes.prefect.flow_runs["r1"].state_type == "CANCELLED"
    assert not [name for name in running.fakes.engine.instances if "prod" in name]


def test_delete_cancels_what_a_worker_hands_back(running: Cli) -> None:
    (running.folder / "prefect.yaml").unlink()
    run = FlowRun("r1", "brave-otter", "PENDING", "Pending", datetime.now(UTC), "prod", "acme-worker-prod-1")
    running.fakes.prefect.flow_runs["r1"] = run

    assert running("pools", "delete", "prod", "--yes").exit_code == 0
    assert running.fakes.prefect.flow_runs["r1"].state_type == "CANCELLED"


def test_a_pool_that_a_deployment_needs_is_not_deleted(running: Cli) -> None:
    before = running.spec

    running.fakes.prefect.flow_runs["r1"] = FlowRun(
        "r1", "brave-otter", "SCHEDULED", "Late", datetime.now(UTC), "prod", None
    )
    asked = running("pools", "delete", "prod")
    assert asked.exit_code == 2
    assert "brave-otter" not in asked.output

    result = running("pools", "delete", "prod", "--yes")

    assert result.exit_code == 2
    assert "'nightly' names the work pool 'prod'" in result.output
    assert running.spec == before
    assert "prod" in running.fakes.prefect.pools


def test_a_pool_of_another_type_in_prefect_is_not_touched(running: Cli) -> None:
    running.fakes.prefect.pools["prod"] = replace(running.fakes.prefect.pools["prod"], type="docker")

    result = running("up")

    assert result.exit_code == 2
    assert "has the type 'docker' in Prefect" in result.output


def test_a_slip_is_not_answered_with_how_to_create_it(running: Cli) -> None:
    for words in (["pools", "delete", "prd"], ["pools", "pause", "prd"], ["scale", "prd=2"]):
        result = running(*words)
        assert result.exit_code == 2, result.output
        assert "Name 'prod' instead." in result.output
        assert "pools create" not in result.output
    assert "pools create" in running("pools", "delete", "elsewhere").output
