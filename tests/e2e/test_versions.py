"""Each Prefect that platform.toml may name: a platform of it runs flows."""

import json

import pytest

from e2e.conftest import NewStack
from e2e.waiting import step, wait_for
from platformctl.model.releases import MINORS

pytestmark = pytest.mark.others


@pytest.mark.parametrize("version", [minor.newest for minor in MINORS])
def test_a_platform_of_each_minor_runs_flows(new_stack: NewStack, version: str) -> None:
    stack = new_stack(prefect=version)
    stack.must("up")
    assert json.loads(stack.must("status", "-o", "json"))["server"]["version"] == version
    step("A run of two tasks completes, and both tasks are on record.")
    assert "the last row of warehouse" in stack.must("run", "hello/hello", "--watch")
    run = stack.server.last_run("hello")["id"]
    wait_for("both task runs are recorded", lambda: stack.server.count_task_runs(run), lambda count: count == 2)
    assert stack.ctl("plan", "--check").code == 0
