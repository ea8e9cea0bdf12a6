"""Workers are replaced by turns, each batch online before the next one stops."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from platformctl.model.observed import Instance, Observed
from platformctl.plan.command_phases import up_phases
from platformctl.plan.phases import plan_phases
from platformctl.plan.resources.instance import StopInstances
from platformctl.plan.resources.replacement import replacement_steps
from platformctl.plan.resources.service import StartServices
from platformctl.plan.resources.worker import AwaitWorkers, ForgetWorker
from platformctl.plan.step import Step
from platformctl.plan.wanted import Wanted
from projects import SPEC, load_docker, write_project
from worlds import everything, run

Load = Callable[[str], Wanted]
GIB = 1024**3


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return what loads a platform whose pool prod has some settings."""
    return lambda settings: load_docker(write_project(tmp_path, SPEC.replace("workers = 2\nlimit = 10", settings)))


def outdated(wanted: Wanted, pool: str = "prod", *, drains: bool = True, **change: object) -> Observed:
    """What is there when all workers of a pool are of another release."""

    def old(held: Instance) -> Instance:
        return replace(held, release="old", drains=drains, **change)  # type: ignore[arg-type]  # fields of it

    observed = everything(wanted)
    instances = tuple(old(held) if held.pool == pool else held for held in observed.machine.instances)
    return replace(observed, machine=replace(observed.machine, instances=instances))


def told(steps: list[Step]) -> list[tuple[str, tuple[str, ...]]]:
    """What is stopped, started and awaited, in order."""
    found = []
    for step in steps:
        match step.change:
            case StopInstances(instances, _):
                found.append(("stop", instances))
            case StartServices(services, _):
                found.append(("start", services))
            case AwaitWorkers(workers):
                found.append(("await", tuple(worker.service for worker in workers)))
            case ForgetWorker(_, worker):
                found.append(("forget", (worker,)))
    return found


def turn(*numbers: int, pool: str = "prod") -> list[tuple[str, tuple[str, ...]]]:
    """What one turn of some workers is."""
    services = tuple(f"worker-{pool}-{number}" for number in numbers)
    return [("stop", tuple(f"acme-{service}" for service in services)), ("start", services), ("await", services)]


def test_a_quarter_of_a_pool_is_replaced_at_a_time(load: Load) -> None:
    wanted = load("workers = 9")

    steps = list(replacement_steps(wanted, outdated(wanted)))

    assert told(steps) == [*turn(1, 2), *turn(3, 4), *turn(5, 6), *turn(7, 8), *turn(9)]


def test_at_least_one_is_replaced_and_what_is_as_wanted_is_not(load: Load) -> None:
    wanted = load("workers = 3")
    observed = outdated(wanted)
    second = next(held for held in everything(wanted).machine.instances if held.service == "worker-prod-2")
    instances = tuple(second if held.service == second.service else held for held in observed.machine.instances)

    steps = list(replacement_steps(wanted, replace(observed, machine=replace(observed.machine, instances=instances))))

    assert told(steps) == [*turn(1), *turn(3)]


def test_a_pool_says_how_many(load: Load) -> None:
    wanted = load("workers = 3\nbatch = 2")

    assert told(list(replacement_steps(wanted, outdated(wanted)))) == [*turn(1, 2), *turn(3)]


def test_workers_that_can_not_drain_are_replaced_together_in_a_paused_pool(load: Load) -> None:
    wanted = load('workers = 3\ntype = "process"')

    steps = list(replacement_steps(wanted, outdated(wanted, drains=False)))

    assert told(steps) == turn(1, 2, 3)
    assert [type(step.change).__name__ for step in steps] == [
        "MarkDrain",
        "PausePool",
        "AwaitRuns",
        "StopInstances",
        "StartServices",
        "AwaitWorkers",
        "ResumePool",
        "UnmarkDrain",
    ]


def test_a_pool_that_somebody_paused_stays_paused(load: Load) -> None:
    wanted = load('workers = 3\ntype = "process"')
    observed = outdated(wanted, drains=False)
    assert observed.prefect
    paused = {name: replace(pool, is_paused=True) for name, pool in observed.prefect.pools.items()}

    steps = replacement_steps(wanted, replace(observed, prefect=replace(observed.prefect, pools=paused)))

    assert not {"MarkDrain", "PausePool", "ResumePool", "UnmarkDrain"} & {type(step.change).__name__ for step in steps}


def test_a_pool_that_an_interrupted_drain_paused_is_paused_again(load: Load) -> None:
    wanted = load('workers = 3\ntype = "process"')
    observed = outdated(wanted, drains=False)
    assert observed.prefect
    paused = {name: replace(pool, is_paused=True) for name, pool in observed.prefect.pools.items()}
    observed = replace(observed, prefect=replace(observed.prefect, pools=paused), interrupted_drains=("prod",))

    changes = [type(step.change).__name__ for step in plan_phases(up_phases(wanted), observed).steps]

    assert changes.index("ResumePool") < changes.index("PausePool") < changes.index("StopInstances")


SPARE = "worker-dev-2"


def test_a_pool_of_one_is_served_by_a_spare_meanwhile(load: Load) -> None:
    wanted = load("workers = 2")

    assert told(list(replacement_steps(wanted, outdated(wanted, "dev")))) == [
        ("start", (SPARE,)),
        ("await", (SPARE,)),
        *turn(1, pool="dev"),
        ("stop", (f"acme-{SPARE}",)),
        ("forget", (f"acme-{SPARE}",)),
    ]


@pytest.mark.parametrize(
    ("gibibytes", "has_room"),
    [(6, True), (5, False), (None, True)],  # server, database, three workers, and the spare: a gibibyte each
)
def test_a_spare_needs_room(load: Load, gibibytes: int | None, has_room: bool) -> None:
    wanted = load("workers = 2")
    observed = outdated(wanted, "dev")
    memory = None if gibibytes is None else gibibytes * GIB

    steps = list(replacement_steps(wanted, replace(observed, machine=replace(observed.machine, memory=memory))))

    assert (("start", (SPARE,)) in told(steps)) == has_room


@pytest.mark.parametrize("change", [{"status": "exited"}, {"drains": False}])
def test_what_serves_nothing_needs_no_spare(load: Load, change: dict[str, object]) -> None:
    wanted = load("workers = 2")

    steps = list(replacement_steps(wanted, outdated(wanted, "dev", **change)))  # type: ignore[arg-type]  # as above

    assert told(steps) == turn(1, pool="dev")


def test_a_drain_gives_runs_their_grace_and_names_them(load: Load) -> None:
    wanted = load("workers = 2\ngrace = 90")
    observed = outdated(wanted)
    assert observed.prefect
    observed = replace(observed, prefect=replace(observed.prefect, runs=(run("acme-worker-prod-1"),)))

    first, *_ = replacement_steps(wanted, observed)

    assert first.cause == "worker-prod-1: its settings changed; 90 s to finish for brave-otter"
    assert isinstance(first.change, StopInstances)
    assert first.change.grace > 90 + 30  # what is left is cancelled, which takes its time
