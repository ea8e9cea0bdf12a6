"""A plan that is written down is the same plan when it is read."""

from dataclasses import replace
from pathlib import Path

import pytest

from platformctl.model.deployment import LiveDeployment
from platformctl.model.observed import BuiltImage, Observed
from platformctl.plan.command_phases import down_phases, up_phases
from platformctl.plan.phases import plan_phases
from platformctl.plan.plan_json import read_plan, write_plan
from platformctl.plan.resources import CHANGES
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from projects import DEPLOYMENTS, load_docker, write_project
from worlds import deployed, everything, nothing, run


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    schedules = "    schedules:\n    - {cron: 0 6 * * *, slug: late}\n    - {interval: 60}\n"
    return load_docker(write_project(tmp_path, prefect_yaml=DEPLOYMENTS + schedules))


def wrong(wanted: Wanted) -> Observed:
    """A platform on which nearly nothing is as it should be."""
    observed = everything(wanted)
    assert observed.prefect
    instances = tuple(replace(held, release="old", drains="dev" in held.name) for held in observed.machine.instances)
    surplus = replace(instances[-1], name="acme-worker-prod-9", service="worker-prod-9")
    machine = replace(
        observed.machine,
        instances=(*instances, surplus),
        networks=("acme_data",),
        volumes={**observed.machine.volumes, "acme_results": observed.time},
    )
    pools = {
        "dev": replace(observed.prefect.pools["dev"], limit=3, missing_variables=("memory_limit",)),
        "prod": observed.prefect.pools["prod"],
    }
    runs = tuple(run("acme-worker-dev-9", state=state) for state in ("RUNNING", "PENDING", "CANCELLING"))
    prefect = replace(
        observed.prefect, pools=pools, runs=runs, deployments=_wrong(wanted), former={}, zombie_automations=("a1",)
    )
    return replace(
        observed,
        machine=machine,
        prefect=prefect,
        interrupted_drains=("dev",),
        built=(BuiltImage("acme/etl:1", observed.time),),
    )


def _wrong(wanted: Wanted) -> tuple[LiveDeployment, ...]:
    """One that has other schedules, one whose schedule changed, and one that is declared no more."""
    (deployment,) = deployed(wanted)
    ended = {"id": "s1", "schedule": {"cron": "0 7 * * *"}, "active": True, "parameters": {}, "slug": None}
    changed = {"id": "s2", "schedule": {"cron": "0 7 * * *"}, "active": True, "parameters": {}, "slug": "late"}
    fields = {**deployment.fields, "tags": ["by hand"]}
    mark = {**(deployment.mark or {}), "triggers": "others"}
    other = replace(deployment, fields=fields, schedules=(ended, changed), mark=mark)
    return other, replace(other, id="d2", name="gone")


def plans(wanted: Wanted) -> list[Plan]:
    """Plans that hold every kind of change between them."""
    up, down = up_phases(wanted), down_phases(wanted.project, "down", volumes=True)
    return [plan_phases(up, nothing()), plan_phases(up, wrong(wanted)), plan_phases(down, wrong(wanted))]


def test_a_plan_is_the_same_when_it_is_read_back(wanted: Wanted) -> None:
    for plan in plans(wanted):
        assert read_plan(write_plan(plan)) == plan


def test_every_kind_of_change_is_tried(wanted: Wanted) -> None:
    tried = {type(step.change) for plan in plans(wanted) for step in plan.steps}

    assert tried == set(CHANGES)


def test_what_is_no_change_is_refused() -> None:
    with pytest.raises(ValueError, match="no change is of the kind 'Explode'"):
        read_plan('[{"resource": "x", "action": "create", "cause": "", "change": {"kind": "Explode"}}]')
