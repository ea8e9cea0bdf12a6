"""runs ls, show, logs, cancel and retry, as typed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commands import Cli
from platformctl.adapters.prefect.ports import LogLine
from platformctl.model.observed import FlowRun
from platformctl.model.runs import RunRecord, TaskRecord

ID = "00000000-0000-4000-8000-00000000000{}"


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def put(
    cli: Cli, number: int, state: str, worker: str | None = None, *, minutes: float = 5, name: str = "", due: float = 5
) -> FlowRun:
    """Have a flow run of the deployment in a state since some minutes, due some minutes ago."""
    id_ = ID.format(number)
    run = FlowRun(id_, name or f"run-{number}", state, state.capitalize(), ago(minutes=minutes), "prod", worker)
    cli.fakes.prefect.flow_runs[id_] = run
    started = ago(minutes=minutes) if state != "SCHEDULED" else None
    told = RunRecord(run, "hello", "hello/nightly", due=ago(minutes=due), started=started)
    cli.fakes.prefect.history.told[id_] = told
    return run


def state_of(cli: Cli, run: FlowRun) -> str:
    return cli.fakes.prefect.flow_runs[run.id].state_type


def test_runs_are_listed_with_what_is_wrong(running: Cli) -> None:
    put(running, 1, "RUNNING", "acme-worker-prod-1", due=3)
    put(running, 2, "RUNNING", "acme-worker-prod-9", due=2)
    put(running, 3, "COMPLETED", "acme-worker-prod-9", due=1)
    running("pools", "pause", "prod")
    put(running, 4, "SCHEDULED", due=4)

    result = running("runs", "ls")

    assert result.exit_code == 0, result.output
    head, *rows = result.output.split("\n\n")[0].splitlines()
    assert head.split() == ["RUN", "STATE", "DEPLOYMENT", "POOL", "WORKER", "SINCE"]
    assert [row.split()[0] for row in rows] == ["run-3", "run-2", "run-1", "run-4"]
    assert "Running, stuck" in rows[1]
    assert "worker-prod-1 " in rows[2]
    assert "stuck" not in rows[0] + rows[2]
    assert "run-2: stuck, its worker acme-worker-prod-9 is gone" in result.output
    assert "run-4: late, the work pool prod is paused: `platformctl pools resume prod`" in result.output


def test_no_name_is_cut(running: Cli) -> None:
    put(running, 1, "COMPLETED", name="a-name-of-a-run-" * 8)
    assert "a-name-of-a-run-" * 8 in running("runs", "ls").output
    assert "hello/nightly  prod" in running("runs", "ls").output


@pytest.mark.parametrize(
    ("states", "names"),
    [
        (["running"], {"run-1", "run-2"}),
        (["Stuck"], {"run-2"}),
        (["late"], {"run-4"}),
        (["scheduled"], {"run-4", "run-5"}),
        (["completed", "late"], {"run-3", "run-4"}),
        (["failed"], set()),
    ],
)
def test_runs_are_chosen_by_state(running: Cli, states: list[str], names: set[str]) -> None:
    put(running, 1, "RUNNING", "acme-worker-prod-1")
    put(running, 2, "RUNNING", "acme-worker-prod-9")
    put(running, 3, "COMPLETED")
    put(running, 4, "SCHEDULED")
    put(running, 5, "SCHEDULED", due=-60)

    words = [word for state in states for word in ("--state", state)]
    found = json.loads(running("runs", "ls", *words, "-o", "json").output)

    assert {row["name"] for row in found} == names


def test_runs_for_later_are_counted(running: Cli) -> None:
    put(running, 1, "SCHEDULED", due=-60)

    result = running("runs", "ls")

    assert "There are no such flow runs." in result.output
    assert "1 more for later: `platformctl runs ls --state scheduled`" in result.output
    assert " in 59m" in running("runs", "ls", "--state", "scheduled").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--state", "runing"], "did you mean 'running'?"),
        (["--pool", "prodd"], "did you mean 'prod'?"),
        (["--deployment", "hello/nightli"], "did you mean 'hello/nightly'?"),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(running: Cli, words: list[str], said: str) -> None:
    result = running("runs", "ls", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_a_run_is_found_by_name_or_id_and_not_by_a_name_of_several(running: Cli) -> None:
    put(running, 1, "COMPLETED", name="brave-otter")
    put(running, 2, "FAILED", name="twin")
    put(running, 3, "COMPLETED", name="twin")

    for given in ("brave-otter", ID.format(1)):
        assert f"id          {ID.format(1)}" in running("runs", "show", given).output
    twin = running("runs", "show", "twin")
    assert twin.exit_code == 2
    assert "2 flow runs are called 'twin'" in twin.output
    assert {ID.format(number) for number in (2, 3)} == {
        each for each in map(ID.format, range(9)) if each in twin.output
    }
    assert "did you mean 'brave-otter'?" in running("runs", "show", "brave-oter").output
    assert "There is no flow run" in running("runs", "show", ID.format(9)).output


@pytest.fixture
def failed(running: Cli) -> Cli:
    """Return a command line with a run that failed in a task of a sub-flow."""
    prefect, said = running.fakes.prefect, "encountered an exception: ValueError: the lake is dry"
    top, below = put(running, 1, "FAILED"), put(running, 2, "FAILED", name="below")
    prefect.messages |= {top.id: f"Flow run {said}", below.id: f"Flow run {said}"}
    prefect.parents[below.id] = top.id
    told = prefect.history.told
    told[below.id] = replace(told[below.id], parent_task="t2", deployment="", ended=told[below.id].started)
    told[top.id] = replace(told[top.id], parameters={"source": "lake"}, ended=datetime.now(UTC))
    begun = ago(minutes=4)
    prefect.history.task_records = [
        TaskRecord("t3", "load-0", below.id, "FAILED", "Failed", f"Task run {said}", begun, begun, begun),
        TaskRecord("t1", "extract-0", top.id, "COMPLETED", "Completed", "", begun, ago(minutes=5), begun),
        TaskRecord("t2", "below", top.id, "FAILED", "Failed", "", begun, begun, begun),
    ]
    prefect.log_lines = [LogLine(str(n), ago(seconds=90 - n), 20, f"line {n}", top.id) for n in range(12)]
    return running


def test_a_failed_run_is_shown_with_its_cause_first(failed: Cli) -> None:
    shown = failed("runs", "show", "run-1").output.splitlines()

    assert shown[0].split() == ["run-1", "Failed", "hello/nightly"]
    assert shown[1].startswith("cause       the task load-0 in the flow below: ")
    assert shown[1].endswith("ValueError: the lake is dry")
    assert 'parameters  source="lake"' in shown
    tree = shown.index(next(line for line in shown if line.startswith("flow run-1")))
    drawn = ("flow run-1  Failed", "├── extract-0  Completed", "└── flow below  Failed", "    └── load-0  Failed")
    assert all(line.startswith(start) for line, start in zip(shown[tree:], drawn, strict=False))
    assert [line.split()[-1] for line in shown if " line " in line] == [str(number) for number in range(2, 12)]


def test_a_traceback_is_left_to_the_log(failed: Cli) -> None:
    failed.fakes.prefect.log_lines.append(
        LogLine("t", datetime.now(UTC), 40, "went wrong\nTraceback\n  line", ID.format(1))
    )
    assert "went wrong (2 more lines)\n" in failed("runs", "show", "run-1").output
    assert "went wrong\nTraceback\n" in failed("runs", "logs", "run-1").output


def test_a_run_that_failed_by_itself_is_not_blamed_on_a_task(failed: Cli) -> None:
    failed.fakes.prefect.messages[ID.format(1)] = "Flow run encountered an exception: KeyError: 'a'"
    assert "cause       Flow run encountered an exception: KeyError: 'a'" in failed("runs", "show", "run-1").output


def test_a_run_is_shown_as_json(failed: Cli) -> None:
    found = json.loads(failed("runs", "show", "run-1", "-n", "1", "-o", "json").output)

    assert (found["name"], found["state"], found["deployment"]) == ("run-1", "Failed", "hello/nightly")
    assert [each["name"] for each in found["tree"]["below"]] == ["extract-0", "below"]
    assert [line["line"]["text"] for line in found["log"]] == ["line 11"]
    assert found["states"][-1]["type"] == "FAILED"


def test_of_many_tasks_those_that_failed_are_shown(failed: Cli) -> None:
    begun = ago(minutes=1)
    failed.fakes.prefect.history.task_records = [
        TaskRecord(f"t{n}", f"map-{n}", ID.format(1), state, state.capitalize(), "", begun, begun, begun)
        for n, state in enumerate(["COMPLETED"] * 40 + ["FAILED"])
    ]
    shown = failed("runs", "show", "run-1").output
    assert "map-40  Failed" in shown
    assert "map-18  Completed" in shown
    assert "map-19" not in shown
    assert "and 21 Completed" in shown


def test_the_log_of_a_run_is_printed_and_followed_to_its_end(failed: Cli) -> None:
    shown = failed("runs", "logs", "run-1").output
    assert [line.split()[-1] for line in shown.splitlines()] == [str(number) for number in range(12)]

    failed("run", "hello/nightly", "--name", "next")
    followed = failed("runs", "logs", "next", "-f").output
    assert "hello from the flow" in followed
    assert followed.splitlines()[-1] == "next  Completed"


def test_what_nobody_runs_ends_at_once_and_what_runs_is_asked_to(running: Cli) -> None:
    waiting = put(running, 1, "SCHEDULED")
    taken = put(running, 2, "RUNNING", "acme-worker-prod-1")
    lost = put(running, 3, "RUNNING", "acme-worker-prod-9")
    retried = put(running, 4, "SCHEDULED")
    running.fakes.prefect.history.with_process.add(retried.id)

    result = running("runs", "cancel", "run-1", "run-2", "run-3", "run-4")

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "run-1 is Cancelled",
        "run-2 is Cancelling",
        "run-3 is Cancelled",
        "run-4 is Cancelled",
    ]
    assert [state_of(running, run) for run in (waiting, taken, lost)] == ["CANCELLED", "CANCELLING", "CANCELLED"]
    running.fakes.prefect.worker_rows.clear()
    assert "run-2 is Cancelled" in running("runs", "cancel", "run-2", "--wait").output


def test_what_a_process_waits_to_try_again_is_asked_to_end(running: Cli) -> None:
    run = put(running, 1, "SCHEDULED")
    prefect = running.fakes.prefect
    prefect.flow_runs[run.id] = replace(run, state_name="AwaitingRetry")
    prefect.history.told[run.id] = replace(prefect.history.told[run.id], retries_in_process=True)
    prefect.history.with_process.add(run.id)

    assert "run-1 is Cancelling" in running("runs", "cancel", "run-1").output


def test_a_run_that_has_ended_is_not_cancelled_and_none_is_where_one_can_not_be(running: Cli) -> None:
    put(running, 1, "COMPLETED")
    waiting = put(running, 2, "SCHEDULED")

    result = running("runs", "cancel", "run-2", "run-1")

    assert result.exit_code == 2
    assert "run-1 has ended: it is Completed." in result.output
    assert state_of(running, waiting) == "SCHEDULED"
    assert running("runs", "cancel", "run-2").exit_code == 0
    assert running("runs", "cancel", "run-2").exit_code == 0


def test_a_run_that_has_ended_is_run_once_more(running: Cli) -> None:
    run = put(running, 1, "FAILED")

    result = running("runs", "retry", "run-1")

    assert "run-1 is AwaitingRetry" in result.output
    assert [state.type for state in running.fakes.prefect.history.past[run.id]] == ["FAILED"]


def test_a_run_that_has_not_ended_or_is_of_no_deployment_is_not_run_once_more(running: Cli) -> None:
    put(running, 1, "RUNNING", "acme-worker-prod-1")
    alone = put(running, 2, "FAILED")
    told = running.fakes.prefect.history.told
    told[alone.id] = replace(told[alone.id], deployment="")
    ended = put(running, 3, "FAILED")

    for given, said in (("run-1", "run-1 has not ended: it is Running."), ("run-2", "is a run of no deployment")):
        result = running("runs", "retry", "run-3", given)
        assert result.exit_code == 2
        assert said in result.output
    assert state_of(running, ended) == "FAILED"


def test_runs_need_a_platform(cli: Cli) -> None:
    for words in (["ls"], ["show", "x"], ["logs", "x"], ["cancel", "x"], ["retry", "x"]):
        result = cli("runs", *words)
        assert result.exit_code == 1
        assert "`platformctl up` starts it" in result.output
