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
    assert not running.fakes.prefect.pools["dev"].is_paused
    assert "Nothing to do" in running("up").output
    assert running("pools", "resume", "prod", "dev").exit_code == 0
    assert not any(pool.is_paused for pool in running.fakes.prefect.pools.values())
    assert running.spec.count("paused = false") == 2
    assert running("pools", "pause", "prod", "dev").exit_code == 0
    assert all(pool.is_paused for pool in running.fakes.prefect.pools.values())


def test_what_only_one_of_the_named_pools_lacks_changes_none(running: Cli) -> None:
    before = running.spec
    for words in (["pause", "prod", "nope"], ["set", "prod", "nope", "--limit", "3"], ["create", "etl", "prod"]):
        assert running("pools", *words).exit_code == 2, words
    assert running.spec == before
    assert not running.fakes.prefect.pools["prod"].is_paused


def test_a_pool_is_deleted_once_the_server_that_was_down_is_up(running: Cli) -> None:
    (running.folder / "prefect.yaml").unlink()
    running.fakes.engine.kill("acme-server")
    running.fakes.engine.failing["server"] = ""
    assert running("pools", "delete", "prod", "--yes").exit_code == 1
    assert "[pools.prod]" in running.spec  # the server didn't come up, and Prefect still has it
    running.fakes.engine.failing.clear()

    result = running("pools", "delete", "prod", "--yes")

    assert result.exit_code == 0, result.output
    assert "[pools.prod]" not in running.spec
    assert "[pools.dev]" in running.spec


def test_a_pool_of_a_platform_that_is_down_is_not_said_to_be_deleted_before_prefect_was_told(running: Cli) -> None:
    (running.folder / "prefect.yaml").unlink()
    assert running("down").exit_code == 0

    early = running("pools", "delete", "prod", "--yes")

    assert early.exit_code == 0, early.output
    assert "[pools.prod]" not in running.spec
    assert "Prefect still has the pool. When it answers, type the same command." in early.output
    assert "is deleted" not in early.output
    assert running("up").exit_code == 0
    assert "The pool prod is deleted." in running("pools", "delete", "prod", "--yes").output
    assert "prod" not in running.fakes.prefect.pools


def test_a_foreign_pool_is_deleted_with_its_runs_and_no_other_ones(running: Cli) -> None:
    prefect, noon = running.fakes.prefect, datetime.now(UTC)
    prefect.pools["by-hand"] = WorkPool("by-hand", "process", None, "", is_paused=False)
    for id_, state, pool in (("r1", "PAUSED", "by-hand"), ("r2", "SCHEDULED", "prod"), ("r3", "COMPLETED", "by-hand")):
        prefect.flow_runs[id_] = FlowRun(id_, id_, state, state.capitalize(), noon, pool, None)

    assert running("pools", "delete", "by-hand", "--yes").exit_code == 0

    assert sorted(prefect.pools) == ["dev", "prod"]
    assert [prefect.flow_runs[id_].state_type for id_ in ("r1", "r2", "r3")] == ["CANCELLED", "SCHEDULED", "COMPLETED"]


def test_a_pool_that_is_nowhere_is_not_deleted(running: Cli) -> None:
    result = running("pools", "delete", "nowhere", "--yes")
    assert result.exit_code == 2
    assert "There is no pool 'nowhere' in platform.toml" in result.output


def test_ls_shows_what_is_wanted_what_is_there_and_what_is_foreign(running: Cli) -> None:
    prefect = running.fakes.prefect
    prefect.pools["by-hand"] = WorkPool("by-hand", "process", 7, "", is_paused=False)
    prefect.pools["dev"] = replace(prefect.pools["dev"], is_paused=True, limit=4)
    for name in ("acme-worker-dev-1", "acme-worker-prod-1"):
        prefect.worker_rows[name] = replace(prefect.worker_rows[name], is_online=False)

    rows = {row["name"]: row for row in json.loads(running("pools", "ls", "-o", "json").output)}

    names = ("type", "workers_wanted", "workers_online", "limit", "image", "state")
    assert {name: tuple(row[key] for key in names) for name, row in rows.items()} == {
        "dev": ("warm", 1, 0, 4, "pipelines", "paused"),
        "prod": ("warm", 2, 1, 10, "pipelines", "degraded"),
        "by-hand": ("process", 0, 0, 7, "", "foreign"),
    }
    assert "by-hand" in running("pools", "ls").output


def test_ls_tells_what_is_wanted_where_prefect_has_no_pool_or_does_not_answer(running: Cli) -> None:
    del running.fakes.prefect.pools["prod"]
    rows = {row["name"]: row for row in json.loads(running("pools", "ls", "-o", "json").output)}
    assert [(name, row["state"], row["limit"]) for name, row in rows.items()] == [
        ("dev", "ready", None),
        ("prod", "missing", 10),
    ]

    running.fakes.engine.kill("acme-server")
    rows = {row["name"]: row for row in json.loads(running("pools", "ls", "-o", "json").output)}
    assert {(row["state"], row["workers_online"]) for row in rows.values()} == {("unknown", 0)}


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
