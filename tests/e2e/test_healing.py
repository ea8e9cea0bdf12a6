"""What `up` and the containers' own policy make good after something died."""

from e2e.stack import Stack
from e2e.waiting import step, wait_for


def test_a_server_that_was_killed_comes_back_and_runs_go_on(running: Stack) -> None:
    before = running.containers("database")["database"].id
    step("The server is killed.")
    running.containers("server")["server"].kill()
    wait_for("the server is gone", running.server.is_ready, lambda is_ready: not is_ready)
    running.must("up")
    assert running.server.is_ready()
    assert running.containers("database")["database"].id == before
    step("The worker of before takes a run, and ends it.")
    run = running.server.start_run("hello/hello")
    assert running.server.await_end(run) == "COMPLETED"


def test_a_server_that_crashes_comes_back_by_itself(running: Stack) -> None:
    before = running.starts("server")
    step("The server's process ends, as if it had crashed.")
    running.execute("server", "python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")
    wait_for("the server has started anew", lambda: running.starts("server"), lambda starts: starts != before)
    wait_for("the server is ready", running.server.is_ready)


def test_the_run_of_a_worker_that_vanished_is_crashed_by_up(running: Stack) -> None:
    run = running.server.start_slow_run()
    step("Its worker vanishes.")
    running.containers("worker")["worker-default-1"].remove(force=True)
    running.must("up")
    found = running.server.run(run)
    assert found["state_type"] == "CRASHED"
    assert running.server.worker_of(run) in found["state"]["message"]
    assert running.server.workers() == {f"{running.name}-worker-default-1": "ONLINE"}


def test_a_healthy_run_is_left_alone_by_up(running: Stack) -> None:
    run = running.server.start_slow_run(seconds=3)
    running.must("up")
    assert running.server.await_end(run) == "COMPLETED"
