"""`scale` and `up --workers`: workers come and go, and no flow run is lost."""

import pytest

from e2e.conftest import NewStack
from e2e.project import COMMENT
from e2e.stack import Stack
from e2e.waiting import step

ALWAYS_THERE = ("database", "migrate", "server")


def _of_others(stack: Stack) -> dict[str, str]:
    return {service: start for service, start in stack.starts().items() if service in ALWAYS_THERE}


def _start_slow_run_on(stack: Stack, worker: str) -> str:
    """Start slow runs until a worker takes one, and return that."""
    for _ in range(12):
        run = stack.server.start_slow_run(seconds=60)
        if stack.server.worker_of(run) == worker:
            return run
    raise AssertionError(f"{worker} takes no run")


def test_workers_come_and_go_and_the_rest_stays(changing: Stack) -> None:
    before = changing.starts()
    names = [f"{changing.name}-worker-default-{number}" for number in (1, 2, 3)]
    step("Three workers are wanted.")
    changing.must("up", "--workers", "3")
    assert changing.instances("worker").keys() == {f"worker-default-{number}" for number in (1, 2, 3)}
    assert changing.server.workers() == dict.fromkeys(names, "ONLINE")
    assert changing.starts().items() >= before.items()
    step("One worker is wanted: the others go, from the engine and from Prefect.")
    changing.must("scale", "default=1")
    assert changing.starts() == before
    assert changing.server.workers() == {names[0]: "ONLINE"}
    assert not changing.server.pool("default")["is_paused"]


def test_scale_is_written_to_platform_toml_with_its_comments_kept(new_stack: NewStack) -> None:
    stack = new_stack()
    before = (stack.folder / "platform.toml").read_text(encoding="utf-8")
    assert "workers: 1 -> 4" in stack.must("scale", "default=4")
    text = (stack.folder / "platform.toml").read_text(encoding="utf-8")
    assert COMMENT in text
    assert text == before.replace("workers = 1", "workers = 4")
    step("Where no platform runs, none is started.")
    assert stack.instances() == {}


def test_a_run_on_a_worker_that_is_scaled_away_finishes_within_its_grace(changing: Stack) -> None:
    before = _of_others(changing)
    step("A run that takes some seconds more is in the middle.")
    run = changing.server.start_slow_run(seconds=5)
    changing.must("scale", "default=0")
    assert changing.server.state(run) == "COMPLETED"
    assert changing.instances("worker") == {}
    assert not changing.server.pool("default")["is_paused"]
    assert _of_others(changing) == before


def test_a_run_that_outlives_the_grace_is_cancelled_and_not_left_running(changing: Stack) -> None:
    step("A second of grace is all that it gets.")
    changing.edit("grace = 60", "grace = 1")
    changing.must("up")
    run = changing.server.start_slow_run()
    changing.must("scale", "default=0")
    assert changing.server.state(run) == "CANCELLED"
    assert any("was stopped" in line for line in changing.server.logs(run))


def test_a_run_that_outlives_the_grace_starts_again_where_its_pool_wants_that(changing: Stack) -> None:
    changing.edit("grace = 60", 'grace = 1\non_stop = "reschedule"')
    changing.must("up")
    run = changing.server.start_slow_run(seconds=20)
    changing.must("scale", "default=0")
    assert changing.server.state(run) == "SCHEDULED"
    step("A worker comes back, and takes it from the start.")
    changing.must("scale", "default=1")
    assert changing.server.await_end(run, seconds=180) == "COMPLETED"
    assert changing.server.logs(run).count("second 0 of 20") == 2


def test_a_pool_goes_on_while_one_of_its_workers_drains(changing: Stack) -> None:
    changing.edit("grace = 60", "grace = 120")
    changing.must("up", "--workers", "2")
    first, second = (f"{changing.name}-worker-default-{number}" for number in (1, 2))
    step("The second worker has a run that takes a minute.")
    run = _start_slow_run_on(changing, second)
    with changing.begin("scale", "default=1") as draining:
        assert draining.stdout
        assert any("to finish" in line for line in iter(draining.stdout.readline, ""))
        step("While it finishes that, the pool goes on; what begins then is the first one's.")
        for _ in range(2):
            other = changing.server.start_run("hello/hello")
            assert changing.server.await_end(other) == "COMPLETED"
        assert changing.server.worker_of(other) == first
        assert changing.server.state(run) == "RUNNING"
        _, err = draining.communicate(timeout=240)
    assert draining.returncode == 0, err
    assert changing.server.state(run) == "COMPLETED"


def test_process_workers_become_warm_ones_and_no_run_is_lost(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.edit("grace = 60", 'grace = 60\ntype = "process"')
    stack.must("up")
    run = stack.server.start_slow_run(seconds=8)
    step("The file names the type no more: what runs is drained, what waits is taken by the worker that follows.")
    stack.edit('\ntype = "process"', "")
    waiting = stack.server.start_run("hello/hello")
    stack.must("up")
    assert stack.server.state(run) == "COMPLETED"
    assert stack.server.await_end(waiting) == "COMPLETED"
    step("The pool is the one that it was.")
    assert stack.server.pool("default")["type"] == "process"
    assert not stack.server.pool("default")["is_paused"]
    assert stack.ctl("plan", "--check").code == 0


def test_a_run_that_waits_is_taken_over_by_the_next_worker(changing: Stack) -> None:
    step("No worker is there when the run is scheduled.")
    changing.must("scale", "default=0")
    run = changing.server.start_run("hello/hello")
    changing.must("scale", "default=1")
    assert changing.server.await_end(run) == "COMPLETED"


@pytest.mark.parametrize(("word", "said"), [("defualt=2", "did you mean 'default'?"), ("default=two", "default=two")])
def test_a_word_that_is_no_number_of_workers_changes_nothing(running: Stack, word: str, said: str) -> None:
    before = (running.folder / "platform.toml").read_bytes()
    result = running.ctl("scale", word)
    assert result.code == 2
    assert said in result.err
    assert (running.folder / "platform.toml").read_bytes() == before
