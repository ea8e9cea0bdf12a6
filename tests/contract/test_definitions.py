"""What Prefect makes of deployments, in memory and on a server alike: what was written is found, and nothing else changes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.prefect_subjects import Subject
from platformctl.model.deployment import ITSELF, MARK, SCHEMA, Described, LiveDeployment
from platformctl.model.observed import Observed, WorkPool
from platformctl.plan.resources.deployment import (
    CreateDeployment,
    SetTriggers,
    UpdateDeployment,
    deployment_removal_steps,
    deployment_steps,
)
from platformctl.plan.resources.schedule import CreateSchedule, RemoveSchedule, UpdateSchedule
from platformctl.plan.step import Change
from platformctl.plan.wanted import Wanted
from projects import SPEC, load_docker, write_project
from worlds import flows, nothing

DAILY = {"schedule": {"cron": "0 6 * * *", "timezone": "Europe/Berlin"}}
WHOLE = """\
deployments:
  - name: {name}-whole
    entrypoint: flows/hello.py:hello
    description: |
      Two
      lines
    version: "1"
    tags: [b, a]
    work_pool: {{name: prod, work_queue_name: slow, job_variables: {{env: {{A: b}}}}}}
    schedules:
      - {{cron: "0 6 * * *", timezone: Europe/Berlin, slug: daily, parameters: {{source: sea}}}}
      - {{cron: "@daily", day_or: false, active: false, slug: other}}
      - {{interval: 3600, anchor_date: "2026-01-01T06:00:00+02:00", slug: hourly}}
      - {{interval: PT5M, timezone: Europe/Berlin, slug: often}}
      - {{rrule: "FREQ=WEEKLY;BYDAY=MO", timezone: Europe/Berlin, slug: weekly}}
    concurrency_limit: {{limit: 2, collision_strategy: CANCEL_NEW}}
    parameters: {{source: lake, day: 2026-01-01, size: 1.0}}
    enforce_parameter_schema: false
    paused: true
  - name: {name}-plain
    entrypoint: flows/hello.py:hello
    work_pool: {{name: prod}}
    schedules: [{{interval: 60}}, {{cron: "0 6 * * *"}}, {{rrule: "FREQ=DAILY"}}]
"""
PLAIN = "deployments:\n  - {{name: {name}-{part}, entrypoint: 'flows/hello.py:hello', work_pool: {{name: dev}}}}\n"


class Deployer:
    """A project whose deployments are brought to a Prefect, and to nothing else."""

    def __init__(self, prefect: Subject, folder: Path, name: str) -> None:
        self.prefect, self._folder, self.name = prefect, folder, name
        for pool in ("dev", "prod"):
            prefect.client.create_pool(WorkPool(pool, "warm", None, "", is_paused=False))

    def declare(self, text: str, **parts: str) -> None:
        """Declare some deployments; `name` in the text makes them this test's own."""
        write_project(self._folder, SPEC, prefect_yaml=text.format(name=self.name, **parts))

    def changes(self) -> list[Change]:
        """What there is to be done now."""
        wanted = load_docker(self._folder)
        return [step.change for step in deployment_steps(wanted, self._observed(wanted))]

    def removals(self) -> list[str]:
        """The deployments that are to be removed."""
        wanted = load_docker(self._folder)
        steps = deployment_removal_steps(wanted, self._observed(wanted))
        return [step.resource for step in steps if self.name in step.resource]

    def apply(self) -> list[str]:
        """Do it, and return the kinds of what was done."""
        changes = self.changes()
        for change in changes:
            apply(self.prefect, change)
        return [type(change).__name__ for change in changes]

    def live(self, part: str) -> LiveDeployment:
        """What is there of a deployment."""
        (found,) = (each for each in self.prefect.api.observe().deployments if each.name == f"{self.name}-{part}")
        return found

    def _observed(self, wanted: Wanted) -> Observed:
        found: dict[str, Described] = dict(flows(wanted))
        return replace(nothing(), prefect=self.prefect.api.observe(wanted.stack.references), flows=found)


def apply(prefect: Subject, change: Change) -> None:
    """Make a change as a step would."""
    definitions = prefect.api.definitions
    match change:
        case CreateDeployment(flow=flow, fields=fields):
            definitions.create(flow, fields)
        case UpdateDeployment(deployment=id_, fields=fields):
            definitions.update(id_, fields)
        case SetTriggers(id_, automations):
            definitions.set_automations(id_, automations)
        case CreateSchedule(id_, schedule):
            definitions.create_schedule(id_, schedule)
        case UpdateSchedule(id_, schedule, fields):
            definitions.update_schedule(id_, schedule, fields)
        case RemoveSchedule(id_, schedule):
            definitions.delete_schedule(id_, schedule)
        case _:
            raise TypeError(change)


@pytest.fixture
def deployer(prefect: Subject, tmp_path: Path, request: pytest.FixtureRequest) -> Deployer:
    """Give a project whose deployments have names of this test's own."""
    return Deployer(prefect, tmp_path, str(request.node.originalname).removeprefix("test_").replace("_", "-"))


def crons(deployment: LiveDeployment) -> Sequence[Any]:
    return sorted((each["slug"] or "", each["schedule"].get("cron"), each["active"]) for each in deployment.schedules)


def test_what_was_created_is_as_it_was_declared(deployer: Deployer) -> None:
    deployer.declare(WHOLE)

    assert deployer.apply() == ["CreateDeployment", "CreateDeployment"]

    assert deployer.changes() == []
    whole = deployer.live("whole")
    assert whole.fields["parameters"] == {"source": "lake", "day": "2026-01-01", "size": 1.0}
    assert (whole.fields["work_queue_name"], whole.fields["concurrency_limit"], whole.fields["paused"]) == (
        "slow",
        2,
        True,
    )
    assert whole.mark
    assert MARK not in whole.schema
    assert len(whole.schedules) == 5


def test_every_field_can_be_changed_and_then_is_as_declared(deployer: Deployer) -> None:
    deployer.declare(PLAIN, part="whole")
    deployer.apply()
    id_ = deployer.live("whole").id
    deployer.declare(WHOLE.partition("  - name: {name}-plain")[0])

    deployer.apply()

    assert deployer.changes() == []
    plain = PLAIN.replace(
        "{{name: dev}}", "{{name: dev, job_variables: {{env: {{A: c}}}}}}"
    )  # 3.6 keeps those of an empty mapping
    deployer.declare(plain, part="whole")
    done = deployer.apply()
    assert done == ["RemoveSchedule"] * 5 + ["UpdateDeployment"]
    assert deployer.changes() == []
    found = deployer.live("whole")
    assert (found.id, found.schedules, found.fields["concurrency_limit"]) == (id_, (), None)
    assert (found.fields["work_queue_name"], found.fields["tags"], found.fields["version"]) == ("default", [], "1")


def test_a_changed_field_leaves_schedules_and_a_pause_alone(deployer: Deployer) -> None:
    text = PLAIN.replace(
        "}}}}\n", "}}, schedules: [{{cron: '0 6 * * *'}}, {{cron: '0 7 * * *', slug: late}}]{more}}}\n"
    )
    deployer.declare(text, part="a", more="")
    deployer.apply()
    before = deployer.live("a")
    deployer.prefect.api.definitions.update(before.id, {"paused": True})
    for schedule in before.schedules:
        deployer.prefect.api.definitions.update_schedule(before.id, schedule["id"], {"active": False})

    deployer.declare(text, part="a", more=", tags: [x]")
    assert deployer.apply() == ["UpdateDeployment"]

    after = deployer.live("a")
    assert {each["id"] for each in after.schedules} == {each["id"] for each in before.schedules}
    assert crons(after) == [("", "0 6 * * *", False), ("late", "0 7 * * *", False)]
    assert (after.fields["paused"], after.fields["tags"]) == (True, ["x"])


def test_a_schedule_is_changed_by_its_slug_and_ends_with_the_file(deployer: Deployer) -> None:
    text = PLAIN.replace("}}}}\n", "}}, schedules: [{more}]}}\n")
    deployer.declare(text, part="a", more="{cron: '0 6 * * *', slug: late}, {cron: '0 8 * * *'}")
    deployer.apply()
    held = {each["slug"]: each["id"] for each in deployer.live("a").schedules}

    deployer.declare(text, part="a", more="{cron: '0 7 * * *', slug: late}, {cron: '0 9 * * *'}")
    assert deployer.apply() == ["RemoveSchedule", "UpdateSchedule", "CreateSchedule"]
    assert crons(deployer.live("a")) == [("", "0 9 * * *", True), ("late", "0 7 * * *", True)]
    assert held["late"] in {each["id"] for each in deployer.live("a").schedules}
    deployer.declare(text, part="a", more="{cron: '0 7 * * *', slug: later, replaces: late}")
    deployer.apply()
    assert crons(deployer.live("a")) == [("later", "0 7 * * *", True)]
    deployer.declare(text, part="a", more="")
    deployer.apply()

    assert deployer.live("a").schedules == ()


def test_what_is_declared_no_more_is_to_be_removed_and_can_be_twice(deployer: Deployer) -> None:
    deployer.declare(PLAIN, part="gone")
    deployer.apply()
    deployer.declare("deployments: []\n")

    assert deployer.removals() == [f"deployment hello/{deployer.name}-gone"]
    id_ = deployer.live("gone").id
    for _ in range(2):
        deployer.prefect.api.definitions.delete(id_)

    assert deployer.removals() == []


def test_triggers_are_replaced_and_go_with_their_deployment(deployer: Deployer) -> None:
    deployer.declare(PLAIN, part="a")
    deployer.apply()
    trigger = {"type": "event", "posture": "Reactive", "threshold": 1, "within": 0, "expect": ["x"]}
    action = {"type": "run-deployment", "source": "selected", "deployment_id": ITSELF}
    automation = {"name": "on x", "trigger": trigger, "actions": [action]}

    for _ in range(2):
        deployer.prefect.api.definitions.set_automations(deployer.live("a").id, [automation])
    deployer.prefect.api.definitions.set_automations(deployer.live("a").id, [])


def test_the_records_are_replaced(prefect: Subject) -> None:
    for digests in ({"a": "1"}, {"a": "2", "b": "3"}):
        prefect.api.definitions.record_images(digests)
        assert prefect.api.observe().described == digests
    for _ in range(2):
        prefect.api.definitions.forget_former()
    assert prefect.api.observe().former is None


def test_a_page_is_not_the_end_of_deployments(prefect: Subject) -> None:
    prefect.client.create_pool(WorkPool("many", "warm", None, "", is_paused=False))
    fields = {"entrypoint": "flows/many.py:many", "work_pool_name": "many", SCHEMA: {"type": "object"}}
    for number in range(205):
        prefect.api.definitions.create("many", {**fields, "name": f"m{number}"})

    found = {each.name for each in prefect.api.observe().deployments if each.flow == "many"}
    assert len(found) == 205
