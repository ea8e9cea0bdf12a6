"""Why a flow run is late or stuck."""

from datetime import UTC, datetime, timedelta

import pytest

from platformctl.commands.run_trouble import Surroundings, find_trouble
from platformctl.model.observed import FlowRun, Worker, WorkPool
from platformctl.model.runs import RunRecord

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def around(
    *, limit: int | None = None, busy: int = 0, is_paused: bool = False, is_online: bool = True, pools: int = 1
) -> Surroundings:
    pool = WorkPool("prod", "warm", limit, "", is_paused=is_paused)
    worker = Worker("acme-worker-prod-1", "prod", is_online=is_online, last_heartbeat=NOW)
    return Surroundings(NOW, {"prod": pool} if pools else {}, (worker,), {"prod": busy})


def record(
    state: str,
    *,
    seconds: float = 600,
    worker: str | None = "acme-worker-prod-1",
    pool: str | None = "prod",
    name: str | None = None,
) -> RunRecord:
    since = NOW - timedelta(seconds=seconds)
    run = FlowRun("r1", "brave-otter", state, name or state.capitalize(), since, pool, worker)
    return RunRecord(run, "hello", "hello/nightly", due=since)


@pytest.mark.parametrize(
    ("found", "surroundings", "why"),
    [
        (record("SCHEDULED", pool=None), around(), "its deployment has no work pool"),
        (record("SCHEDULED"), around(pools=0), "there is no work pool prod"),
        (record("SCHEDULED"), around(is_paused=True), "the work pool prod is paused: `platformctl pools resume prod`"),
        (record("SCHEDULED"), around(is_online=False), "no worker of the work pool prod is online"),
        (record("SCHEDULED", name="AwaitingConcurrencySlot"), around(), "the concurrency limit of hello/nightly"),
        (record("SCHEDULED"), around(limit=2, busy=2), "the work pool prod is at its limit of 2"),
        (record("SCHEDULED"), around(limit=2, busy=1), "no worker of the work pool prod has taken it yet"),
        (record("SCHEDULED", name="AwaitingRetry"), around(), "no worker of the work pool prod has taken it yet"),
    ],
)
def test_a_run_that_is_due_and_has_not_begun_is_late(found: RunRecord, surroundings: Surroundings, why: str) -> None:
    trouble = find_trouble(found, surroundings)
    assert trouble
    assert trouble.kind == "late"
    assert trouble.why.startswith(why)


@pytest.mark.parametrize(
    ("found", "surroundings", "why"),
    [
        (record("RUNNING"), around(is_online=False), "its worker acme-worker-prod-1 is gone"),
        (record("PENDING", worker="acme-worker-prod-2", seconds=1), around(), "its worker acme-worker-prod-2 is gone"),
        (record("CANCELLING"), around(), "it is Cancelling for 10m"),
        (record("PENDING"), around(), "it is Pending for 10m"),
    ],
)
def test_a_run_that_does_not_go_on_is_stuck(found: RunRecord, surroundings: Surroundings, why: str) -> None:
    trouble = find_trouble(found, surroundings)
    assert trouble
    assert trouble.kind == "stuck"
    assert trouble.why.startswith(why)


@pytest.mark.parametrize(
    "found",
    [
        record("RUNNING", seconds=100_000),
        record("PENDING", seconds=60),
        record("CANCELLING", seconds=60),
        record("SCHEDULED", seconds=10),
        record("SCHEDULED", seconds=-10),
        record("PAUSED", worker="acme-worker-prod-2"),
        record("COMPLETED", worker="acme-worker-prod-2"),
        record("RUNNING", worker=None, pool=None),
    ],
)
def test_a_run_that_goes_on_or_has_ended_or_is_of_a_shell_is_neither(found: RunRecord) -> None:
    assert find_trouble(found, around()) is None
