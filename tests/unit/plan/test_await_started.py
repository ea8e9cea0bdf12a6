"""What is said of what doesn't start in time, or fails while it is waited for."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.errors import ServiceError
from platformctl.model.observed import Worker, WorkPool
from platformctl.plan.await_started import WorkerName, await_service, await_workers
from platformctl.runtimes.fake import FakeRuntime
from projects import load_docker, write_project
from worlds import NOON, instance

POOL = WorkPool("prod", "warm", None, "", is_paused=False)
_SILENT = lambda _: None  # noqa: E731
WORKER = WorkerName("worker-prod-1", "acme-worker-prod-1", "prod")


@pytest.fixture
def runtime(tmp_path: Path) -> FakeRuntime:
    """Return an engine that runs everything of a platform."""
    stack = load_docker(write_project(tmp_path)).stack
    held = {service.instance: instance(service) for service in stack.services if service.role != "deploy"}
    return FakeRuntime(FakePrefect(is_up=True, pools={"prod": POOL}), instances=held, folder=tmp_path)


def change(runtime: FakeRuntime, name: str, **fields: object) -> None:
    runtime.instances[name] = replace(runtime.instances[name], **fields)  # type: ignore[arg-type]  # fields of it


def heard(prefect: FakePrefect, *, ago: float = -5, is_online: bool = True) -> None:
    """Have Prefect hold a row of the worker, heard of some seconds before its instance started."""
    beat = NOON - timedelta(seconds=ago)
    prefect.worker_rows[WORKER.instance] = Worker(WORKER.instance, "prod", is_online=is_online, last_heartbeat=beat)


def test_what_is_healthy_or_completed_is_not_waited_for(runtime: FakeRuntime) -> None:
    await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False, seconds=0)
    await_service(runtime, "migrate", "acme-migrate", _SILENT, is_oneshot=True, seconds=0)


def test_what_never_came_is_named(runtime: FakeRuntime) -> None:
    del runtime.instances["acme-server"]

    with pytest.raises(ServiceError) as failure:
        await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False, seconds=0)

    assert failure.value.message == "acme-server was not there after 0 s."
    assert (
        failure.value.remedy == "`platformctl status` shows what is there; type the same command to try again (server)."
    )


def test_what_is_waited_for_is_told_with_its_last_line(runtime: FakeRuntime) -> None:
    change(runtime, "acme-server", health="starting")
    runtime.failing["server"] = "one\ntwo"
    told: list[str] = []

    with pytest.raises(ServiceError):
        await_service(runtime, "server", "acme-server", told.append, is_oneshot=False, seconds=0)

    assert told == ["two"]


def test_what_is_late_is_named_with_its_state_and_last_lines(runtime: FakeRuntime) -> None:
    change(runtime, "acme-server", health="starting")
    runtime.failing["server"] = "one\ntwo"

    with pytest.raises(ServiceError) as failure:
        await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False, seconds=0)

    assert failure.value.message.splitlines() == [
        "acme-server is not ready after 0 s (running, starting). Its last lines:",
        "  one",
        "  two",
        "Its health check said:",
        "  id-server: no check has run",
    ]
    assert "`platformctl logs server` shows more" in failure.value.remedy


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"health": "unhealthy"}, "acme-server is unhealthy. "),
        ({"status": "dead", "exit_code": 127, "health": "none"}, "acme-server failed with exit code 127. "),
        ({"status": "dead", "health": "none"}, "acme-server failed. "),
        ({"restarts": 3, "exit_code": 1, "health": "none"}, "acme-server failed with exit code 1 after 3 restarts. "),
    ],
)
def test_what_fails_is_not_waited_for(runtime: FakeRuntime, fields: dict[str, object], said: str) -> None:
    change(runtime, "acme-server", **fields)

    with pytest.raises(ServiceError) as failure:
        await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False)

    assert failure.value.message.startswith(f"{said}Its last lines:\n  (it wrote nothing)")


def test_a_migration_that_failed_is_not_waited_for(runtime: FakeRuntime) -> None:
    change(runtime, "acme-migrate", exit_code=1)

    with pytest.raises(ServiceError, match="acme-migrate failed with exit code 1"):
        await_service(runtime, "migrate", "acme-migrate", _SILENT, is_oneshot=True)


def test_a_worker_that_restarts_twice_may_have_missed_its_server(runtime: FakeRuntime) -> None:
    change(runtime, WORKER.instance, restarts=2, health="unhealthy")
    heard(runtime.prefect)

    await_workers(runtime, runtime.prefect, [WORKER], lambda _: None, seconds=0)


@pytest.mark.parametrize(("ago", "is_online"), [(3, True), (-5, False)])
def test_a_worker_is_online_once_it_was_heard_of_since_its_start(
    runtime: FakeRuntime, ago: float, is_online: bool
) -> None:
    heard(runtime.prefect, ago=ago, is_online=is_online)
    told: list[str] = []

    with pytest.raises(ServiceError, match=r"acme-worker-prod-1 is not ready after 0 s \(running, healthy\)"):
        await_workers(runtime, runtime.prefect, [WORKER], told.append, seconds=0)

    assert told == ["0 of 1 online"]


def test_a_clock_may_be_two_seconds_off(runtime: FakeRuntime) -> None:
    heard(runtime.prefect, ago=2)

    await_workers(runtime, runtime.prefect, [WORKER], lambda _: None, seconds=0)


def test_a_worker_that_never_came_is_named(runtime: FakeRuntime) -> None:
    del runtime.instances[WORKER.instance]

    with pytest.raises(ServiceError, match="acme-worker-prod-1 was not there after 0 s"):
        await_workers(runtime, runtime.prefect, [WORKER], lambda _: None, seconds=0)


def test_a_worker_that_fails_is_not_waited_for(runtime: FakeRuntime) -> None:
    change(runtime, WORKER.instance, restarts=3, exit_code=2)

    with pytest.raises(ServiceError, match="acme-worker-prod-1 failed with exit code 2 after 3 restarts"):
        await_workers(runtime, runtime.prefect, [WORKER], lambda _: None)
