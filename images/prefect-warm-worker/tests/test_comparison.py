"""A warm worker's runs are those of Prefect's process worker: states, logs, files, and what a flow sees."""

import os
from pathlib import Path

import pytest

from outcomes import Outcome, read_facts, read_outcome
from pools import KINDS, Pools, Run, Runs, version, wait
from scenarios import (
    CANCELLED,
    CANCELLED_EARLY,
    DIFFERENT,
    DIFFERENT_BEFORE_3_8,
    ENDS,
    HALTING,
    HOOKS,
    INTERRUPTED,
    LOOK,
    LOOK_LATE,
    LOOKS,
    MEDDLE,
    PROCESS_ONLY,
    PROCESS_THREAD,
    REWORDED,
    SHARE,
    WARM_VARIABLE,
    Scenario,
)

pytestmark = pytest.mark.comparison


def compare(warm: Run, process: Run) -> None:
    """Compare what became of two runs, once both have ended and their logs have arrived."""
    for run in (warm, process):
        run.wait_until(warm.scenario.state)

    def read() -> tuple[Outcome, Outcome]:
        found, wanted = read_outcome(warm), read_outcome(process)
        wanted = wanted.without(PROCESS_ONLY).reworded(REWORDED, found.message)
        if version() < (3, 8):
            wanted = wanted.with_text(HOOKS, warm.scenario.colour)
        return found.without_lines(warm.scenario.warm_only), wanted

    found, wanted = wait(read, lambda both: both[0] == both[1], seconds=60, fails=False)
    assert found == wanted


def test_a_run_is_cancelled(runs: Runs) -> None:
    compare(*runs[CANCELLED.name])
    children = [int((run.told / "child.pid").read_text()) for run in runs[CANCELLED.name]]
    warm, process = (_is_running(child) for child in children)
    for child in children:
        _kill(child)
    assert warm == process


def test_a_run_is_cancelled_before_its_flow_begins(runs: Runs) -> None:
    compare(*runs[CANCELLED_EARLY.name])


@pytest.mark.parametrize("scenario", ENDS, ids=lambda scenario: scenario.name)
def test_a_run_ends_alike(runs: Runs, scenario: Scenario) -> None:
    compare(*runs[scenario.name])


def test_what_a_run_leaves_behind_ends_alike(runs: Runs) -> None:
    for run in runs[MEDDLE.name]:
        run.wait_for_file("child")
    compare(*runs[MEDDLE.name])
    assert "daemon" not in os.listdir(runs[MEDDLE.name][0].told)  # noqa: PTH208  # their names


@pytest.mark.parametrize("scenario", LOOKS, ids=lambda scenario: scenario.name)
def test_a_flow_sees_the_same(runs: Runs, scenario: Scenario) -> None:
    compare(*runs[scenario.name])
    warm, process = (read_facts(run) for run in runs[scenario.name])
    assert WARM_VARIABLE in warm["variables"]
    warm["variables"].remove(WARM_VARIABLE)
    del warm["settings"][WARM_VARIABLE]
    if version() >= (3, 7) and scenario != LOOK_LATE:  # which is a process of its own
        process["threads"].remove(PROCESS_THREAD)
    different = DIFFERENT if version() >= (3, 8) else DIFFERENT | DIFFERENT_BEFORE_3_8
    for fact, reason in different.items():
        assert warm.pop(fact) != process.pop(fact), reason
    assert warm == process


def test_large_results_are_the_same(runs: Runs) -> None:
    sizes = [len(run.read_result()) for run in runs[LOOK.name]]
    assert sizes == [400_000, 400_000]


def test_a_run_sees_nothing_of_another_one(pools: Pools, runs: Runs) -> None:
    first, _ = runs[LOOK.name]
    runs[MEDDLE.name][0].wait_until("Completed")
    again = pools.begin(LOOK, "warm", name="look again")
    again.wait_until("Completed")
    assert read_facts(again) == read_facts(first)
    assert (again.told / "drawn").read_text() != (first.told / "drawn").read_text()


def test_a_limit_of_a_deployment_holds(pools: Pools, runs: Runs) -> None:
    more = [pools.begin(SHARE, kind, name="share again") for kind in KINDS]
    for first, second in zip(runs[SHARE.name], more, strict=True):
        for run in (first, second):
            run.wait_until("Completed")
        spans = [[float(moment) for moment in (run.told / "held").read_text().split()] for run in (first, second)]
        assert spans[0][1] <= spans[1][0] or spans[1][1] <= spans[0][0]


def test_no_slot_stays_taken(pools: Pools) -> None:
    def read() -> dict[str, int]:
        return {
            limit.name: limit.active_slots for limit in pools.client.read_global_concurrency_limits(limit=50, offset=0)
        }

    wait(read, lambda taken: not any(taken.values()), seconds=20)


def test_a_run_is_paused_suspended_and_resumed(runs: Runs) -> None:
    compare(*runs[HALTING.name])


@pytest.mark.skipif(version() < (3, 7), reason="Prefect 3.7 has introduced it")
def test_a_run_heeds_that_somebody_else_suspends_it(runs: Runs) -> None:
    compare(*runs[INTERRUPTED.name])


def _is_running(pid: int) -> bool:
    """Whether a process is there, and more than an entry that nobody has asked for yet."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
