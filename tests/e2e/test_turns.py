"""Workers are replaced by turns: the pool takes flow runs throughout, and those in flight finish."""

import subprocess

import pytest

from e2e.stack import Stack
from e2e.waiting import step


def _await_line(process: subprocess.Popen[str], words: str) -> None:
    """Read what a command prints until a line holds some words."""
    assert process.stdout
    assert any(words in line for line in iter(process.stdout.readline, "")), f"it ended without {words!r}"


def _replace_under_a_run(stack: Stack) -> set[str]:
    """Replace all workers while one has a run, and return the workers that took the runs which began meanwhile."""
    run = stack.server.start_slow_run(seconds=75)
    takers = set()
    stack.edit("grace = 120", "grace = 121")
    with stack.begin("up") as replacing:
        _await_line(replacing, "to finish for")
        step("While the run's worker waits for it, other runs begin and end.")
        for _ in range(2):
            other = stack.server.start_run("hello/hello")
            assert stack.server.await_end(other) == "COMPLETED"
            takers.add(stack.server.worker_of(other))
        assert stack.server.state(run) == "RUNNING"
        step("The run in flight finishes, and the command does.")
        _, err = replacing.communicate(timeout=300)
    assert replacing.returncode == 0, err
    assert stack.server.state(run) == "COMPLETED"
    assert stack.server.worker_of(run) not in takers
    return takers


def test_a_pool_of_one_is_served_by_a_spare_that_is_gone_afterwards(changing: Stack) -> None:
    changing.edit("grace = 60", "grace = 120")
    changing.must("up")
    assert _replace_under_a_run(changing) == {f"{changing.name}-worker-default-2"}
    step("The one worker that is left is the pool's own, in the engine and in Prefect.")
    assert changing.instances("worker").keys() == {"worker-default-1"}
    assert changing.server.workers() == {f"{changing.name}-worker-default-1": "ONLINE"}
    assert changing.ctl("plan", "--check").code == 0


def test_a_pool_of_two_is_replaced_one_at_a_time(changing: Stack) -> None:
    changing.edit("grace = 60", "grace = 120")
    changing.must("up", "--workers", "2")
    before = changing.starts("worker")
    _replace_under_a_run(changing)
    after = changing.starts("worker")
    assert after.keys() == before.keys()
    assert all(after[service] != before[service] for service in before)


@pytest.mark.parametrize("sign", ["INT", "KILL"])
def test_a_replacement_that_is_cut_off_is_made_good_by_the_next_up(changing: Stack, sign: str) -> None:
    changing.edit("grace = 60", "grace = 120")
    changing.must("up")
    changing.edit("grace = 120", "grace = 121")
    with changing.begin("up") as replacing:
        _await_line(replacing, "draining")
        step("The spare is there, and the command is gone.")
        subprocess.run(["kill", f"-{sign}", str(replacing.pid)], check=True)
        replacing.wait(timeout=120)
    changing.must("up")
    assert changing.instances("worker").keys() == {"worker-default-1"}
    assert changing.server.workers() == {f"{changing.name}-worker-default-1": "ONLINE"}
    assert changing.ctl("plan", "--check").code == 0
