"""What is said of what doesn't start in time, or fails while it is waited for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.errors import ServiceError
from platformctl.model.observed import Worker, WorkPool
from platformctl.plan import await_started
from platformctl.plan.await_started import WorkerName, await_service, await_workers
from platformctl.runtimes.fake import FakeRuntime
from projects import load_docker, write_project
from worlds import NOON, instance

POOL = WorkPool("prod", "warm", None, "", is_paused=False)
NEVER = datetime(1, 1, 1, tzinfo=UTC)  # what engines tell of what has not begun
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


@pytest.mark.parametrize(("name", "is_first"), [("acme-server-old", False), ("acme-a-server", True)])
def test_the_one_of_several_that_failed_is_named(runtime: FakeRuntime, name: str, is_first: bool) -> None:
    runtime.instances[name] = replace(runtime.instances["acme-server"], name=name, id=name)
    change(runtime, "acme-server", status="dead", exit_code=4)
    assert (name < "acme-server") is is_first

    with pytest.raises(ServiceError, match=r"^acme-server failed with exit code 4"):
        await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False)


def test_all_of_several_are_waited_for(runtime: FakeRuntime) -> None:
    runtime.instances["acme-other"] = replace(runtime.instances["acme-server"], name="acme-other", health="starting")

    with pytest.raises(ServiceError, match="not ready"):
        await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False, seconds=0)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "running", "health": "none"},
        {"status": "created", "started": NEVER},
        {"status": "exited", "started": NEVER, "exit_code": 1},
    ],
)
def test_a_migration_that_runs_or_has_not_begun_is_waited_for(runtime: FakeRuntime, fields: dict[str, object]) -> None:
    change(runtime, "acme-migrate", **fields)

    with pytest.raises(ServiceError, match=r"acme-migrate is not ready after 0 s \((running|created|exited)\)"):
        await_service(runtime, "migrate", "acme-migrate", _SILENT, is_oneshot=True, seconds=0)


@pytest.mark.parametrize(("is_oneshot", "seconds"), [(True, 7200), (False, 180)])
def test_a_migration_may_take_two_hours_and_a_server_three_minutes(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch, is_oneshot: bool, seconds: float
) -> None:
    runtime.instances.clear()
    limits = ignore_time(monkeypatch)

    with pytest.raises(ServiceError, match=f"acme-x was not there after {seconds} s"):
        await_service(runtime, "x", "acme-x", _SILENT, is_oneshot=is_oneshot)
    with pytest.raises(ServiceError, match="acme-worker-prod-1 was not there after 180 s"):
        await_workers(runtime, runtime.prefect, [WORKER], _SILENT)

    assert limits == [seconds, 180]


def ignore_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have conditions looked at once; returns the seconds within which each was to come true."""
    limits: list[float] = []

    def look_once(check: Callable[[], bool | None], *, seconds: float) -> bool | None:
        limits.append(seconds)
        return check()

    monkeypatch.setattr(await_started, "wait_until", look_once)
    return limits


def test_what_is_waited_for_is_told_at_once_and_every_five_seconds(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(runtime, "acme-server", health="starting")
    now, told = [100.0], list[float]()

    def look_often(check: Callable[[], bool | None], **_: float) -> bool | None:
        for now[0] in (100.0, 104.0, 105.0, 109.0, 111.0):
            assert check() is None
        return None

    monkeypatch.setattr(await_started, "wait_until", look_often)
    monkeypatch.setattr(await_started, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with pytest.raises(ServiceError):
        await_service(runtime, "server", "acme-server", lambda _: told.append(now[0]), is_oneshot=False)

    assert told == [100, 105, 111]


def test_a_health_check_is_quoted_by_its_last_five_lines(runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    change(runtime, "acme-server", health="unhealthy")
    monkeypatch.setattr(runtime, "health_output", lambda _: "a\nb\nc\nd\ne\nf\ng")

    with pytest.raises(ServiceError) as failure:
        await_service(runtime, "server", "acme-server", _SILENT, is_oneshot=False)

    said = failure.value.message.splitlines()
    assert said[said.index("Its health check said:") :] == [
        "Its health check said:",
        *(f"  {line}" for line in "cdefg"),
    ]


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


def test_the_worker_that_is_missing_is_named_and_the_others_are_counted(runtime: FakeRuntime) -> None:
    second = WorkerName("worker-prod-2", "acme-worker-prod-2", "prod")
    heard(runtime.prefect)
    told: list[str] = []

    with pytest.raises(ServiceError, match=r"^acme-worker-prod-2 is not ready after 0 s \(running, healthy\)"):
        await_workers(runtime, runtime.prefect, [WORKER, second], told.append, seconds=0)

    assert told == ["1 of 2 online"]


def test_a_worker_that_is_restarted_is_not_online(runtime: FakeRuntime) -> None:
    heard(runtime.prefect)
    change(runtime, WORKER.instance, status="restarting", restarts=1)

    with pytest.raises(ServiceError, match=r"acme-worker-prod-1 is not ready after 0 s \(restarting, healthy\)"):
        await_workers(runtime, runtime.prefect, [WORKER], _SILENT, seconds=0)


def test_another_service_that_fails_is_not_waited_for_with_workers(runtime: FakeRuntime) -> None:
    heard(runtime.prefect)
    change(runtime, "acme-server", status="dead")

    await_workers(runtime, runtime.prefect, [WORKER], _SILENT, seconds=0)


def test_a_clock_may_be_two_seconds_off(runtime: FakeRuntime) -> None:
    heard(runtime.prefect, ago=2)

    await_workers(runtime, runtime.prefect, [WORKER], lambda _: None, seconds=0)


def test_a_worker_that_never_came_is_named(runtime: FakeRuntime) -> None:
    del runtime.instances[WORKER.instance]

    with pytest.raises(ServiceError, match="acme-worker-prod-1 was not there after 0 s") as failure:
        await_workers(runtime, runtime.prefect, [WORKER], lambda _: None, seconds=0)
    assert "(worker-prod-1)" in failure.value.remedy


def test_a_worker_that_fails_is_not_waited_for(runtime: FakeRuntime) -> None:
    change(runtime, WORKER.instance, restarts=3, exit_code=2)

    with pytest.raises(ServiceError, match="acme-worker-prod-1 failed with exit code 2 after 3 restarts") as failure:
        await_workers(runtime, runtime.prefect, [WORKER], lambda _: None)
    assert "health check" not in failure.value.message  # it said nothing against it
