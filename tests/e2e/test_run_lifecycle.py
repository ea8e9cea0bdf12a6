"""A flow run from its start to its end by way of `run` and `runs`, and the schedules that start others."""

import json
import re
from collections.abc import Iterator

import pytest

from e2e.stack import Stack
from e2e.waiting import step, wait_for


def state_of(stack: Stack, name: str) -> str:
    return str(json.loads(stack.must("runs", "show", name, "-o", "json"))["state"])


def test_a_run_is_given_parameters_followed_and_shown(running: Stack) -> None:
    (running.folder / "hello.yaml").write_text("source: lake\n", encoding="utf-8")
    try:
        words = ("--params", str(running.folder / "hello.yaml"), "--tag", "by-hand", "--name", "shown-run", "--watch")
        assert "the last row of lake is the 4000th" in running.must("run", "hello/hello", *words)
    finally:
        (running.folder / "hello.yaml").unlink()

    step("It is listed, and shown with its tasks, its parameters, and the end of its log.")
    assert re.search(r"shown-run +Completed +hello/hello +default +worker-default-1", running.must("runs", "ls"))
    shown = running.must("runs", "show", "shown-run")
    assert 'parameters  source="lake"' in shown
    assert "tags        by-hand" in shown
    assert re.search(r"├── count_rows-\w+  Completed", shown)
    assert re.search(r"└── describe-\w+  Completed", shown)
    assert "the last row of lake is the 4000th" in running.must("runs", "logs", "shown-run")


def test_a_parameter_that_does_not_fit_starts_nothing_and_shows_the_schema(running: Stack) -> None:
    result = running.ctl("run", "slow/slow", "-p", "seconds=soon", "--name", "never-run")
    assert result.code == 2
    assert "seconds: 'soon' is not of type 'integer'" in result.err
    assert "  seconds  integer  default 600" in result.err
    assert "There is no flow run 'never-run'" in running.ctl("runs", "show", "never-run").err


def test_a_run_that_failed_is_shown_with_its_cause_and_run_once_more(running: Stack) -> None:
    assert running.ctl("run", "fail/fail", "--name", "failed-run", "--watch").code == 1
    assert "cause       Flow run encountered an exception: ValueError: the warehouse is on fire" in running.must(
        "runs", "show", "failed-run"
    )

    assert "failed-run is AwaitingRetry" in running.must("runs", "retry", "failed-run")
    assert running.must("runs", "logs", "failed-run", "-f").splitlines()[-1] == "failed-run  Failed"
    found = json.loads(running.must("runs", "show", "failed-run", "-o", "json"))
    assert found["attempts"] == 2
    assert [each["name"] for each in found["states"]].count("Failed") == 2


def test_what_has_not_begun_ends_at_once_and_what_runs_is_asked_to(running: Stack) -> None:
    running.must("run", "slow/slow", "--name", "later-run", "--in", "2h")
    running.must("run", "slow/slow", "--name", "slow-run")
    wait_for("the run is under way", lambda: state_of(running, "slow-run"), lambda state: state == "Running")
    assert "slow-run has not ended" in running.ctl("runs", "retry", "slow-run").err

    assert running.must("runs", "cancel", "later-run", "slow-run", "--wait").splitlines() == [
        "later-run is Cancelled",
        "slow-run is Cancelled",
    ]
    assert "slow-run has ended" not in running.must("runs", "cancel", "slow-run")


@pytest.fixture
def paused(running: Stack) -> Iterator[Stack]:
    """The platform with its pool paused in Prefect for a test."""
    running.server.ask("PATCH", "/work_pools/default", {"is_paused": True})
    yield running
    running.server.ask("PATCH", "/work_pools/default", {"is_paused": False})


def test_a_run_that_can_not_begin_is_late_and_says_why(paused: Stack) -> None:
    assert "the work pool default is paused" in paused.ctl("run", "hello/hello", "--name", "late-run").err
    wait_for("it is late", lambda: paused.must("runs", "ls", "--state", "late"), lambda said: "late-run" in said)
    assert "late-run: late, the work pool default is paused" in paused.must("runs", "ls")
    assert "late-run is Cancelled" in paused.must("runs", "cancel", "late-run")


def test_schedules_show_the_next_times_and_are_paused(changing: Stack) -> None:
    schedules = (
        '    schedules: [{cron: "30 2 * * *", timezone: Europe/Berlin, slug: night, parameters: {source: sea}}]\n'
    )
    changing.edit("  - name: hello\n", f"  - name: hello\n{schedules}", "prefect.yaml")
    assert "which the clocks of Europe/Berlin skip" in changing.must("plan")
    changing.must("up")

    def times() -> list[str]:
        (found,) = json.loads(changing.must("schedules", "hello/hello", "-o", "json"))
        return [str(time) for time in found["next"]]

    found = wait_for("the server has made runs", times, lambda found: len(found) == 3, seconds=120)
    assert all("T02:30:00+0" in time for time in found)
    changing.must("schedules", "pause", "hello/hello", "--slug", "night")
    assert times() == []
    assert 'with source="sea"' in changing.must("schedules")
    changing.must("schedules", "resume", "hello/hello", "--slug", "night")
    wait_for("runs are made again", times, lambda found: len(found) == 3, seconds=120)
