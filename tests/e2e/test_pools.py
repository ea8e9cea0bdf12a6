"""`pools`: work pools in platform.toml and in Prefect, and what a hand has changed in Prefect."""

import json
from collections.abc import Iterator

import pytest

from e2e.stack import Stack
from e2e.waiting import step

POOL = "batch"


@pytest.fixture
def pooled(changing: Stack) -> Iterator[Stack]:
    """The platform that runs, with a second pool that no worker serves."""
    changing.must("pools", "create", POOL, "--workers", "0", "--limit", "5", "--description", "by night")
    yield changing
    if POOL in changing.server.pools():
        changing.server.ask("DELETE", f"/work_pools/{POOL}")


def _list_pools(stack: Stack) -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in json.loads(stack.must("pools", "ls", "-o", "json"))}


def _schedule_run(stack: Stack, pool: str) -> str:
    """Schedule a run in a pool, of a deployment that somebody registered by hand."""
    server = stack.server
    flow = server.ask("GET", "/deployments/name/hello/hello")["flow_id"]
    by_hand = {"name": "by-hand", "flow_id": flow, "work_pool_name": pool, "entrypoint": "flows/hello.py:hello"}
    deployment = server.ask("POST", "/deployments/", by_hand)["id"]
    body = {"state": {"type": "SCHEDULED"}}
    return str(server.ask("POST", f"/deployments/{deployment}/create_flow_run", body)["id"])


def test_a_created_pool_is_in_prefect_and_in_platform_toml(pooled: Stack) -> None:
    pool = pooled.server.pool(POOL)
    assert (pool["concurrency_limit"], pool["description"], pool["type"]) == (5, "by night", "warm")
    assert "working_dir" in pool["base_job_template"]["variables"]["properties"]
    assert f"[pools.{POOL}]" in (pooled.folder / "platform.toml").read_text(encoding="utf-8")


def test_a_created_pool_gets_a_worker_that_is_online(changing: Stack) -> None:
    before = changing.starts()
    changing.must("pools", "create", POOL)
    assert changing.server.workers(POOL) == {f"{changing.name}-worker-{POOL}-1": "ONLINE"}
    step("What ran before runs as before.")
    assert changing.starts().items() >= before.items()
    changing.must("pools", "delete", POOL)
    assert POOL not in changing.server.pools()
    assert changing.starts() == before


def test_ls_shows_a_pool_as_it_is(pooled: Stack) -> None:
    rows = _list_pools(pooled)
    assert rows[POOL].items() >= {"workers_wanted": 0, "workers_online": 0, "limit": 5, "state": "no workers"}.items()
    assert rows["default"].items() >= {"workers_wanted": 1, "workers_online": 1, "limit": None}.items()


def test_ls_shows_a_pool_that_platform_toml_does_not_have(running: Stack) -> None:
    running.server.ask("POST", "/work_pools/", {"name": "foreign", "type": "process"})
    try:
        assert _list_pools(running)["foreign"]["state"] == "foreign"
    finally:
        running.server.ask("DELETE", "/work_pools/foreign")


def test_set_changes_a_limit_and_leaves_the_workers(pooled: Stack) -> None:
    before = pooled.starts()
    pooled.must("pools", "set", POOL, "--limit", "9")
    assert pooled.server.pool(POOL)["concurrency_limit"] == 9
    step("And takes it away.")
    pooled.must("pools", "set", POOL, "--no-limit")
    assert pooled.server.pool(POOL)["concurrency_limit"] is None
    assert pooled.starts() == before


def test_a_pool_that_is_paused_by_command_stays_so_until_it_is_resumed(pooled: Stack) -> None:
    pooled.must("pools", "pause", POOL)
    pooled.must("up")
    assert pooled.server.pool(POOL)["is_paused"]
    pooled.must("pools", "resume", POOL)
    pooled.must("up")
    assert not pooled.server.pool(POOL)["is_paused"]


def test_a_pool_that_is_paused_by_hand_stays_paused(pooled: Stack) -> None:
    step("Somebody pauses the pool in Prefect's UI, where platform.toml says nothing of it.")
    pooled.server.ask("PATCH", f"/work_pools/{POOL}", {"is_paused": True})
    pooled.must("up")
    assert pooled.server.pool(POOL)["is_paused"]
    step("A change of its limit leaves it paused too.")
    pooled.must("pools", "set", POOL, "--limit", "6")
    assert pooled.server.pool(POOL)["is_paused"]


def test_up_corrects_a_limit_and_nothing_else_of_the_pool(pooled: Stack) -> None:
    step("Somebody changes the limit and the job template in Prefect.")
    template = pooled.server.pool("default")["base_job_template"]
    template["variables"]["properties"]["env"]["default"] = {"REGION": "north"}
    changes = {"concurrency_limit": 99, "base_job_template": template}
    pooled.server.ask("PATCH", f"/work_pools/{POOL}", changes)
    before = pooled.server.pool(POOL)
    pooled.must("up")
    step("The limit is platform.toml's again, and the rest is as it was.")
    changed = {"concurrency_limit", "updated"}
    after = pooled.server.pool(POOL)
    assert after["concurrency_limit"] == 5
    assert {key: after[key] for key in after.keys() - changed} == {key: before[key] for key in before.keys() - changed}


def test_deleting_a_pool_with_a_scheduled_run_needs_a_yes(pooled: Stack) -> None:
    run = _schedule_run(pooled, POOL)
    step("Nobody is there to say yes.")
    result = pooled.ctl("pools", "delete", POOL)
    assert result.code == 1
    assert pooled.server.run(run)["name"] in result.err
    assert POOL in pooled.server.pools()
    assert pooled.server.state(run) == "SCHEDULED"
    step("With --yes the pool goes, and its run is cancelled.")
    pooled.must("pools", "delete", POOL, "--yes")
    assert POOL not in pooled.server.pools()
    assert pooled.server.state(run) == "CANCELLED"
    assert POOL not in (pooled.folder / "platform.toml").read_text(encoding="utf-8")


def test_a_pool_that_prefect_yaml_names_is_not_deleted(running: Stack) -> None:
    before = (running.folder / "platform.toml").read_bytes()
    result = running.ctl("pools", "delete", "default", "--yes")
    assert result.code == 2
    assert "prefect.yaml" in result.err
    assert (running.folder / "platform.toml").read_bytes() == before
    assert "default" in running.server.pools()


def test_an_unknown_pool_exits_2_with_the_nearest_name(running: Stack) -> None:
    result = running.ctl("pools", "set", "defualt", "--limit", "1")
    assert result.code == 2
    assert "did you mean 'default'?" in result.err
