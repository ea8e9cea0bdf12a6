"""The text of whole plans: what is there on the left of an arrow, what the files want on the right."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from golden_check import Golden
from platformctl.model.observed import BuiltImage, FlowRun, Instance, Observed, Worker
from platformctl.plan.command_phases import down_phases, up_phases
from platformctl.plan.phases import plan_phases
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from projects import DEPLOYMENTS, SPEC, load_docker, write_project
from worlds import NOON, everything, instance, nothing, run

_MOVED = "the platform's folder was moved, and it would not start again"
TEXTS = Path(__file__).parent / "plans"
Change = Callable[[Wanted, Observed], Observed]


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    return load(tmp_path)


def load(folder: Path, spec: str = SPEC, **files: str) -> Wanted:
    return load_docker(write_project(folder, spec, prefect_yaml=DEPLOYMENTS, **files))


def reconcile(wanted: Wanted, observed: Observed) -> Plan:
    return plan_phases(up_phases(wanted), observed)


def with_instance(observed: Observed, service: str, change: Callable[[Instance], Instance | None]) -> Observed:
    """The same, with one service's instance changed, or gone."""
    held = [change(found) if found.service == service else found for found in observed.machine.instances]
    return replace(observed, machine=replace(observed.machine, instances=tuple(found for found in held if found)))


def without_server(observed: Observed) -> Observed:
    return replace(with_instance(observed, "server", lambda _: None), prefect=None)


def with_runs(observed: Observed, *runs: FlowRun) -> Observed:
    assert observed.prefect
    return replace(observed, prefect=replace(observed.prefect, runs=runs))


def with_surplus_worker(wanted: Wanted, observed: Observed) -> Observed:
    surplus = replace(
        instance(wanted.stack.service("worker-prod-2")), name="acme-worker-prod-3", service="worker-prod-3"
    )
    machine = replace(observed.machine, instances=(*observed.machine.instances, surplus))
    return replace(observed, machine=machine)


def with_stale_heartbeats(observed: Observed) -> Observed:
    """Workers that Prefect still calls online, from before their instances started."""
    assert observed.prefect
    rows: list[Worker] = [replace(row, last_heartbeat=NOON - timedelta(seconds=30)) for row in observed.prefect.workers]
    return replace(observed, prefect=replace(observed.prefect, workers=tuple(rows)))


def with_drift(observed: Observed) -> Observed:
    """Pools changed by hand in Prefect: another limit, a pause, a description."""
    assert observed.prefect
    pools = dict(observed.prefect.pools)
    pools["prod"] = replace(pools["prod"], limit=3, description="by hand")
    pools["dev"] = replace(pools["dev"], is_paused=True)
    return replace(observed, prefect=replace(observed.prefect, pools=pools))


def with_pool_for_processes(observed: Observed) -> Observed:
    """A platform from before warm workers: its pools are of another type, and its workers have no mark of draining."""
    assert observed.prefect
    missing = ("memory_limit", "max_run_seconds")
    pools = {
        name: replace(pool, type="process", missing_variables=missing) for name, pool in observed.prefect.pools.items()
    }
    old = with_instance(observed, "worker-dev-1", lambda c: replace(c, release="old", drains=False))
    return replace(old, prefect=replace(observed.prefect, pools=pools))


def with_shared_results(observed: Observed) -> Observed:
    """A platform from when its pools shared their results; `dev` has its own by now, as an interrupted `up` leaves it."""
    volumes = {**observed.machine.volumes, "acme_results": NOON, "acme_results-dev": NOON}
    old = with_instance(observed, "worker-prod-1", lambda c: replace(c, release="old"))
    return replace(old, machine=replace(old.machine, volumes=volumes))


def shown(plan: Plan) -> bytes:
    """Each step as it is printed, and below it what it changes; digests left out."""
    lines = [line for step in plan.steps for line in (str(step), f"         {step.change}")]
    text = re.sub(r"(acme/\w+):[0-9a-f]{12}", r"\1:TAG", "\n".join(lines))
    return "".join(f"{line}\n" for line in re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", text).splitlines()).encode()


CHANGES: dict[str, Change] = {
    "from-nothing": lambda _, __: nothing(),
    "as-wanted": lambda _, o: o,
    "shared-results": lambda _, o: with_shared_results(o),
    "after-down": lambda _, o: replace(without_server(o), machine=replace(o.machine, instances=()), prefect=None),
    "server-gone": lambda _, o: without_server(o),
    "server-stopped": lambda _, o: replace(
        with_instance(o, "server", lambda c: replace(c, status="exited", exit_code=137, health="none")), prefect=None
    ),
    "server-unhealthy": lambda _, o: with_instance(o, "server", lambda c: replace(c, health="unhealthy")),
    "server-of-another-image": lambda _, o: with_instance(
        o, "server", lambda c: replace(c, image="prefecthq/prefect:3.7.8-python3.13", release="old")
    ),
    "migration-failed": lambda _, o: replace(
        with_instance(without_server(o), "migrate", lambda c: replace(c, exit_code=1)), prefect=None
    ),
    "new-volume": lambda _, o: replace(
        without_server(o),
        machine=replace(without_server(o).machine, volumes={"acme_database-18": NOON + timedelta(hours=1)}),
    ),
    "worker-killed": lambda _, o: with_instance(
        with_runs(o, run("acme-worker-prod-2")), "worker-prod-2", lambda c: replace(c, status="exited", exit_code=137)
    ),
    "worker-restarted-under-a-run": lambda _, o: with_runs(
        o, run("acme-worker-prod-1", minutes=-1), run("acme-worker-prod-1", minutes=-2, state="PENDING")
    ),
    "runs-that-go-on": lambda _, o: with_runs(o, run("acme-worker-prod-1"), run("another-host", minutes=-9), run(None)),
    "image-changed": lambda _, o: replace(
        with_instance(o, "worker-dev-1", lambda c: replace(c, image="acme/pipelines:old", release="old")),
        changed_files=(
            "compose.yaml",
            "images/pipelines/Dockerfile",
            "images/pipelines/app/a.py",
            "images/pipelines/app/b.py",
        ),
    ),
    "image-to-build": lambda w, o: replace(
        o,
        machine=replace(o.machine, images=o.machine.images - {image.reference for image in w.stack.images}),
        changed_files=("compose.yaml", "deployments/pipelines.yaml", "images/pipelines/app/a.py"),
    ),
    "worker-hangs": lambda _, o: with_instance(o, "worker-dev-1", lambda c: replace(c, health="unhealthy")),
    "worker-without-its-server": lambda _, o: replace(
        with_instance(with_stale_heartbeats(o), "worker-dev-1", lambda c: replace(c, health="unhealthy")),
        time=NOON + timedelta(seconds=20),
    ),
    "folder-moved": lambda _, o: replace(
        o,
        machine=replace(
            o.machine,
            instances=tuple(replace(held, stranded=_MOVED) for held in o.machine.instances),
        ),
    ),
    "surplus-worker": with_surplus_worker,
    "stale-heartbeats": lambda _, o: with_stale_heartbeats(o),
    "drift-in-prefect": lambda _, o: with_drift(o),
    "pool-made-for-processes": lambda _, o: with_pool_for_processes(o),
    "interrupted-drain": lambda _, o: replace(o, interrupted_drains=("prod",)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_plan_says_what_and_why(name: str, wanted: Wanted, golden: Golden) -> None:
    plan = reconcile(wanted, CHANGES[name](wanted, everything(wanted)))

    golden(TEXTS / f"{name}.txt", shown(plan))
    assert plan.has_changes == (name not in ("as-wanted", "runs-that-go-on"))


DOWNS: dict[str, Change] = {
    "down": lambda _, o: with_networks(o),
    "down-under-runs": lambda _, o: with_runs(with_networks(o), run("acme-worker-prod-1"), run("another-host")),
    "down-of-what-is-left": lambda wanted, o: without_server(with_surplus_worker(wanted, o)),
    "down-of-processes": lambda _, o: replace(
        o,
        interrupted_drains=("dev",),
        machine=replace(o.machine, instances=tuple(replace(held, drains=False) for held in o.machine.instances)),
    ),
    "down-with-images": lambda _, o: replace(
        o,
        built=(
            BuiltImage("acme/pipelines:old", NOON),
            BuiltImage("acme/pipelines:new", NOON, ("acme-worker-prod-1",)),
            BuiltImage("acme/pipelines:lent", NOON, ("other-worker-prod-1",)),
        ),
    ),
    "down-of-a-worker-that-is-gone": lambda _, o: with_instance(
        with_runs(o, run("acme-worker-prod-2", state="CANCELLING")), "worker-prod-2", lambda _: None
    ),
}


def with_networks(observed: Observed) -> Observed:
    return replace(observed, machine=replace(observed.machine, networks=("acme_data", "acme_platform")))


@pytest.mark.parametrize("volumes", [False, True])
@pytest.mark.parametrize("name", DOWNS)
def test_a_down_says_what_and_why(name: str, volumes: bool, wanted: Wanted, golden: Golden) -> None:
    plan = plan_phases(down_phases(wanted.project, "down", volumes=volumes), DOWNS[name](wanted, everything(wanted)))

    golden(TEXTS / f"{name}{'-volumes' if volumes else ''}.txt", shown(plan))


def test_what_ran_is_scheduled_again_where_its_pool_wants_that(tmp_path: Path) -> None:
    wanted = load(tmp_path, SPEC.replace("limit = 10", 'limit = 10\non_stop = "reschedule"'))
    observed = everything(wanted)
    assert observed.prefect
    runs = (run("acme-worker-prod-1", minutes=-1), run("acme-worker-prod-1", minutes=-2, state="CANCELLING"))

    steps = reconcile(wanted, replace(observed, prefect=replace(observed.prefect, runs=runs))).steps

    assert [step.action for step in steps] == ["requeue", "cancel"]


def test_an_explicit_pause_is_kept_and_an_absent_one_left_alone(tmp_path: Path) -> None:
    paused = load(tmp_path, SPEC.replace("workers = 1 ", "paused = true\nworkers = 1 "))
    silent = load(tmp_path / "silent")

    (step,) = reconcile(paused, replace(everything(paused), prefect=everything(silent).prefect)).steps

    assert str(step) == "update   pool dev: is_paused false -> true"
