"""One server and two workers for all comparisons, which are all begun at once."""

from collections.abc import Iterator

import pytest
from prefect.states import Suspended

from pools import KINDS, Pools, Run, Runs, open_pools, version, wait
from scenarios import ALL, CANCELLED, CANCELLED_EARLY, HALTING, INTERRUPTED

SCENARIOS = [scenario for scenario in ALL if scenario is not INTERRUPTED or version() >= (3, 7)]
"""Before Prefect 3.7 a run doesn't heed that somebody else suspends it."""


@pytest.fixture(scope="session")
def pools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pools]:
    """Give pools with a worker each."""
    with open_pools(tmp_path_factory.mktemp("pools")) as opened:
        for scenario in SCENARIOS:
            for kind in KINDS:
                opened.deploy(scenario, kind)
        yield opened


@pytest.fixture(scope="session")
def runs(pools: Pools) -> Runs:
    """Begin every scenario on both kinds of workers, which start when all is scheduled: the server is slow while they run."""
    begun = {scenario.name: (pools.begin(scenario, "warm"), pools.begin(scenario, "process")) for scenario in SCENARIOS}
    for kind in KINDS:
        pools.start_worker(kind)
    attend(pools, begun)
    return begun


def interrupt(pools: Pools, runs: tuple[Run, Run]) -> None:
    """Have somebody else suspend runs, and resume them when their processes have ended."""
    for run in runs:
        run.wait_for_file("began")
        pools.client.set_flow_run_state(run.id, Suspended(timeout_seconds=300))
    for run in runs:
        wait(run.logs, lambda lines: any("Finished in state Suspended" in line.message for line in lines))
        pools.client.resume_flow_run(run.id)


def attend(pools: Pools, begun: Runs) -> None:
    """Do what runs wait for: resume those that halt, and cancel those that would never end."""
    for scenario in (CANCELLED_EARLY, CANCELLED):
        for run in begun[scenario.name]:
            run.wait_for_file("began")
            wait(
                run.logs, lambda lines: any("Executing deployment step" in line.message for line in lines)
            )  # what a killed process hasn't sent yet is lost, at random
            run.cancel()
    if INTERRUPTED in SCENARIOS:
        interrupt(pools, begun[INTERRUPTED.name])
    for state in ("Paused", "Suspended"):
        for run in begun[HALTING.name]:
            run.wait_until(state)
            pools.client.resume_flow_run(run.id)
