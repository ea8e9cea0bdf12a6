"""What becomes of a flow run that holds a slot of a concurrency limit while its server is replaced, or away."""

import time

from e2e.conftest import NewStack
from e2e.stack import Stack
from e2e.waiting import step, wait_for

LEASE = 60
"""Seconds; a holder renews it three quarters in."""
HOLD = f'''\
"""A flow that holds a slot, and is ended where it loses it."""

import time

from prefect import flow, get_run_logger
from prefect.concurrency.sync import concurrency


@flow
def hold(seconds: int) -> None:
    with concurrency("narrow", strict=True, lease_duration={LEASE}):
        get_run_logger().info("It has the slot.")
        time.sleep(seconds)
'''
DEPLOYMENT = """\
  - name: hold
    entrypoint: flows/hold.py:hold
    work_pool:
      name: default
"""


def test_a_run_that_holds_a_slot_keeps_it_over_a_replaced_and_an_absent_server(new_stack: NewStack) -> None:
    stack = new_stack()
    (stack.folder / "flows" / "hold.py").write_text(HOLD, encoding="utf-8")
    with (stack.folder / "prefect.yaml").open("a", encoding="utf-8") as file:
        file.write(DEPLOYMENT)
    stack.must("up")
    for name in ("narrow", "leaky"):
        stack.server.ask("POST", "/v2/concurrency_limits/", {"name": name, "limit": 1})
    stack.server.ask("POST", "/v2/concurrency_limits/increment", {"names": ["leaky"], "slots": 1})
    run = stack.server.start_run("hold/hold", seconds=4 * LEASE)
    wait_for("the run has its slot", lambda: taken_slots(stack, "narrow"), lambda slots: slots == 1)

    step("The server is replaced.")
    before = stack.starts("server")
    stack.edit("[server]\n", "[server]\nkeep_events = 8\n")
    stack.must("up")
    assert stack.starts("server") != before

    step("The server is away for longer than the lease lasts.")
    stack.machine.kill("server")
    gone = time.monotonic()
    wait_for("the lease has expired", time.monotonic, lambda now: now > gone + LEASE + 5, seconds=2 * LEASE)
    stack.must("up")

    assert stack.server.await_end(run, seconds=6 * LEASE) == "COMPLETED", stack.server.logs(run)
    assert taken_slots(stack, "narrow") == 0
    step("What had leaked before is free.")
    wait_for("the slot is free", lambda: taken_slots(stack, "leaky"), lambda slots: slots == 0, seconds=120)


def taken_slots(stack: Stack, limit: str) -> int:
    """Return how many slots of a limit are taken."""
    return int(stack.server.ask("GET", f"/v2/concurrency_limits/{limit}")["active_slots"])
