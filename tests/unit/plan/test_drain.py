"""What the steps of a drain do when they are applied."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.model.observed import FlowRun, WorkPool
from platformctl.plan.resources.drain import AwaitRuns, MarkDrain, PausePool, ResumePool, UnmarkDrain
from platformctl.plan.world import World
from platformctl.state.drain_marks import drained_pools
from platformctl.state.secrets import write_secrets
from projects import FakeConnections, fake_workspace, write_project

WORKER = "acme-worker-prod-1"


@dataclass
class EndingRuns(FakePrefect):
    """A Prefect whose runs end after it was asked for them some times. asked: how often."""

    after: int = 3
    asked: int = 0

    def taken_runs(self) -> list[FlowRun]:
        self.asked += 1
        return [] if self.asked > self.after else super().taken_runs()


def world_of(folder: Path, prefect: FakePrefect) -> tuple[World, FakeConnections]:
    workspace, fakes = fake_workspace(write_project(folder))
    prefect.is_up = True
    fakes.prefect = prefect
    write_secrets(workspace.project)
    return workspace.world(lambda _: None), fakes


def run(state: str, worker: str = WORKER) -> FlowRun:
    return FlowRun("r1", "brave-otter", state, state.capitalize(), datetime.now(UTC), "prod", worker)


@pytest.mark.parametrize("state", ["RUNNING", "PENDING", "CANCELLING"])
def test_runs_of_the_workers_are_waited_for(tmp_path: Path, state: str) -> None:
    prefect = EndingRuns(flow_runs={"r1": run(state)})
    world, _ = world_of(tmp_path, prefect)

    AwaitRuns((WORKER,), seconds=60).apply(world)

    assert prefect.asked == 4


def test_a_run_that_awaits_its_retry_in_its_process_is_waited_for(tmp_path: Path) -> None:
    prefect = EndingRuns(flow_runs={"r1": run("SCHEDULED"), "r2": run("SCHEDULED")}, awaiting_retry={"r1"})
    world, _ = world_of(tmp_path, prefect)

    AwaitRuns((WORKER,), seconds=60).apply(world)

    assert prefect.asked == 4


def test_runs_of_others_are_not_waited_for(tmp_path: Path) -> None:
    prefect = EndingRuns(flow_runs={"r1": run("RUNNING", "acme-worker-prod-2"), "r2": run("COMPLETED")})
    world, _ = world_of(tmp_path, prefect)

    AwaitRuns((WORKER,), seconds=60).apply(world)

    assert prefect.asked == 1


def test_what_outlives_its_grace_is_no_error(tmp_path: Path) -> None:
    prefect = EndingRuns(after=10_000, flow_runs={"r1": run("RUNNING")})
    world, _ = world_of(tmp_path, prefect)

    AwaitRuns((WORKER,), seconds=0).apply(world)

    assert prefect.flow_runs["r1"].state_type == "RUNNING"


def test_a_pause_is_marked_and_resumed(tmp_path: Path) -> None:
    prefect = FakePrefect(pools={"prod": WorkPool("prod", "process", None, "", is_paused=False)})
    world, fakes = world_of(tmp_path, prefect)

    MarkDrain("prod").apply(world)
    PausePool("prod").apply(world)
    assert drained_pools(fakes.engine.keeper) == ("prod",)
    assert prefect.pools["prod"].is_paused

    ResumePool("prod").apply(world)
    UnmarkDrain("prod").apply(world)
    assert drained_pools(fakes.engine.keeper) == ()
    assert not prefect.pools["prod"].is_paused
