"""`plan` and `status`, and `up` where there is nothing to do."""

import json
import shutil

from e2e.stack import Stack
from e2e.waiting import step


def test_a_second_up_changes_nothing_and_says_so(running: Stack) -> None:
    before = running.starts()
    step("The same command is typed again.")
    assert "Nothing to do" in running.must("up")
    assert running.starts() == before


def test_plan_check_exits_0_where_there_is_nothing_to_do(running: Stack) -> None:
    assert running.ctl("plan", "--check").code == 0


def test_plan_check_exits_3_after_a_change_of_platform_toml(changing: Stack) -> None:
    changing.edit("grace = 60", "grace = 60\nlimit = 7")
    step("The plan names the change, and makes nothing of it.")
    result = changing.ctl("plan", "--check")
    assert result.code == 3
    assert "concurrency_limit none -> 7" in result.out
    assert changing.server.pool("default")["concurrency_limit"] is None


def test_plan_prints_its_steps_as_json(changing: Stack) -> None:
    changing.edit("grace = 60", "grace = 60\nlimit = 7")
    plan = json.loads(changing.must("plan", "-o", "json"))
    assert plan["changes"] is True
    assert plan["steps"]
    assert all(found.keys() >= {"resource", "action", "cause"} for found in plan["steps"])
    assert ("pool default", "update") in [(found["resource"], found["action"]) for found in plan["steps"]]


def test_a_bundle_that_is_gone_is_written_again_and_nothing_else_is_done(changing: Stack) -> None:
    before = changing.starts()
    shutil.rmtree(changing.bundle)
    step("The plan is to write the bundle, and that is all.")
    steps = json.loads(changing.must("plan", "-o", "json"))["steps"]
    assert [found["resource"] for found in steps] == ["bundle"]
    changing.must("up")
    assert changing.starts() == before
    assert changing.ctl("plan", "--check").code == 0


def test_secrets_that_are_gone_are_what_plan_up_and_status_speak_of(changing: Stack) -> None:
    secrets = changing.folder / ".platform" / "secrets"
    copy = secrets.rename(secrets.with_name("copy"))
    for command in (["plan"], ["up"]):
        result = changing.ctl(*command)
        assert result.code == 1
        assert "its password is not in" in result.err
    shown = changing.ctl("status")
    assert "healthy, but its password is missing here" in shown.out
    assert changing.ctl("status", "--check").code == 1
    copy.rename(secrets)
    assert changing.ctl("status", "--check").code == 0


def test_more_workers_than_fit_are_refused_and_platform_toml_stays(running: Stack) -> None:
    before, starts = (running.folder / "platform.toml").read_text(), running.starts()
    result = running.ctl("scale", "default=200")
    assert result.code == 1
    assert "Nothing was changed." in result.err
    assert (running.folder / "platform.toml").read_text() == before
    assert running.starts() == starts


def test_status_prints_the_platform_as_json(running: Stack) -> None:
    status = json.loads(running.must("status", "-o", "json"))
    assert (status["name"], status["runtime"]) == (running.name, running.machine.runtime)
    server = {"url": f"http://127.0.0.1:{running.port}", "healthy": True, "version": "3.9.1"}
    assert server.items() <= status["server"].items()
    pool = {
        "name": "default",
        "type": "warm",
        "workers_wanted": 1,
        "workers_online": 1,
        "paused": False,
        "limit": None,
    }
    assert [pool.items() <= found.items() for found in status["pools"]] == [True]
    used = {found.image for found in running.instances("worker").values()}
    assert {f"{running.name}/{found['name']}:{found['tag']}" for found in status["images"]} == used
