"""`run`: from a deployment's name to a flow run that has ended, and what is said about it."""

import re

import pytest
import requests

from e2e.docker_machine import DockerMachine
from e2e.stack import Stack
from e2e.waiting import step, wait_for


@pytest.fixture(scope="module")
def watched(running: Stack) -> tuple[str, str]:
    """What a followed run of the flow `hello` showed, and its id."""
    shown = running.must("run", "hello/hello", "--watch")
    return shown, str(running.server.last_run("hello")["id"])


def test_a_watched_run_shows_the_flows_log_and_completes(running: Stack, watched: tuple[str, str]) -> None:
    shown, run = watched
    assert "the last row of warehouse is the 9000th" in shown
    assert re.search(r" count_rows-\w+ \| Finished in state Completed\(\)\n", shown), shown
    assert re.search(r" describe-\w+ \| Finished in state Completed\(\)\n", shown), shown
    assert "Completed" in shown
    assert running.server.state(run) == "COMPLETED"


def test_task_runs_are_recorded_with_authentication_on(running: Stack, watched: tuple[str, str]) -> None:
    step("The API refuses who has no password.")
    assert requests.post(f"{running.server.url}/flow_runs/filter", json={}, timeout=10).status_code == 401
    step("Of a flow with two tasks both are on record.")
    _, run = watched
    wait_for("both task runs are recorded", lambda: running.server.count_task_runs(run), lambda count: count == 2)


def test_a_watched_run_that_fails_exits_1_and_says_why(running: Stack) -> None:
    result = running.ctl("run", "fail/fail", "--watch")
    assert result.code == 1
    assert "the warehouse is on fire" in result.err
    assert "Failed" in result.err


def test_parameters_arrive_in_the_flow(running: Stack) -> None:
    assert "the last row of lake is the 4000th" in running.must("run", "hello/hello", "-p", "source=lake", "--watch")


def test_an_unknown_deployment_exits_2_with_the_nearest_name(running: Stack) -> None:
    result = running.ctl("run", "hello/helo")
    assert result.code == 2
    assert "did you mean 'hello/hello'?" in result.err


def test_an_unknown_parameter_exits_2_with_the_nearest_name(running: Stack) -> None:
    result = running.ctl("run", "hello/hello", "-p", "sorce=lake")
    assert result.code == 2
    assert "did you mean 'source'?" in result.err


def test_a_parameter_of_the_wrong_type_starts_no_run(running: Stack) -> None:
    result = running.ctl("run", "slow/slow", "-p", "seconds=soon")
    assert result.code == 2
    assert "seconds" in result.err


def test_a_schedule_creates_runs(changing: Stack) -> None:
    step("A deployment gets a schedule, whose first run is far off.")
    changing.edit("  - name: hello\n", '  - name: hello\n    schedules: [{cron: "0 0 1 1 *"}]\n', "prefect.yaml")
    changing.must("up")
    wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    wait_for(
        "the scheduler has made a run", lambda: changing.server.ask("POST", "/flow_runs/count", wanted), seconds=120
    )


_FORK = """
import asyncio, pathlib, tempfile
from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.protocol import Job

async def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "told.py").write_text("import json, sys; print(sys.getrefcount(json.dumps) > 2**31)")
    async with Zygote(Preloading(["json"])) as zygote:
        run = await zygote.fork(Job("told", {}, folder), 1)
        await run.ended.wait()

asyncio.run(main())
"""


def test_using_what_was_imported_ahead_writes_nothing_in_a_fork(engine_view: DockerMachine) -> None:
    assert engine_view.execute("worker-default-1", "python", "-c", _FORK) == "True"
