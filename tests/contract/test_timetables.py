"""What is promised of schedules, of the Prefect in memory and of a server alike."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from contract.conftest import AUTH
from contract.prefect_subjects import Subject
from platformctl.adapters.prefect.api import PrefectApi
from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.adapters.prefect.ports import Api
from platformctl.errors import ServerError
from platformctl.model.observed import WorkPool
from platformctl.model.schedules import Schedule, Timetable

_MISSING = "00000000-0000-4000-8000-000000000000"
_SCHEDULE = Schedule(_MISSING, "", "cron", "0 6 * * *", "UTC", "", is_active=True)


@pytest.fixture
def deployment(prefect: Subject, request: pytest.FixtureRequest) -> str:
    """Return the name of a deployment, in a pool of this test's own."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40]
    prefect.client.create_pool(WorkPool(name, "warm", None, "", is_paused=False))
    return prefect.deploy(name, name)


def timetable(prefect: Subject, deployment: str) -> Timetable:
    (found,) = (each for each in prefect.api.timetables.all() if each.name == deployment)
    return found


def test_schedules_are_told_as_they_were_given(prefect: Subject, deployment: str) -> None:
    assert timetable(prefect, deployment).schedules == ()

    id_ = prefect.schedule(deployment, "early")

    found = timetable(prefect, deployment)
    assert (found.name, found.is_paused) == (deployment, False)
    expected = Schedule(id_, "early", "cron", "0 6 * * *", "Europe/Berlin", "", True, {"source": "sea"})
    assert found.schedules == (expected,)


def test_deployments_are_in_the_order_of_their_names(prefect: Subject, deployment: str) -> None:
    names = [each.name for each in prefect.api.timetables.all()]
    assert deployment in names
    assert names == sorted(names)


def test_the_next_times_are_those_of_the_runs_that_are_made(prefect: Subject, deployment: str) -> None:
    early, other = (prefect.schedule(deployment, slug) for slug in ("early", "other"))

    found = prefect.api.timetables.upcoming(early, 3)

    assert len(found) == 3
    assert found == sorted(found)
    assert min(found) > datetime.now(UTC)
    assert len(prefect.api.timetables.upcoming(other, 1)) == 1
    assert prefect.api.timetables.upcoming(_MISSING, 3) == []


def test_a_paused_deployment_starts_nothing_and_keeps_its_schedules(prefect: Subject, deployment: str) -> None:
    id_ = prefect.schedule(deployment, "early")
    before = timetable(prefect, deployment)

    prefect.api.timetables.pause(before.id, is_paused=True)

    assert timetable(prefect, deployment) == replace(before, is_paused=True)
    assert prefect.api.timetables.upcoming(id_, 3) == []

    prefect.api.timetables.pause(before.id, is_paused=False)
    assert timetable(prefect, deployment) == before


def test_one_schedule_is_paused_and_the_others_go_on(prefect: Subject, deployment: str) -> None:
    early, other = (prefect.schedule(deployment, slug) for slug in ("early", "other"))
    before = timetable(prefect, deployment)

    chosen = next(each for each in before.schedules if each.id == early)

    prefect.api.timetables.activate(before.id, chosen, is_active=False)

    after = timetable(prefect, deployment)
    assert {each.id: each.is_active for each in after.schedules} == {early: False, other: True}
    assert replace(chosen, is_active=False) in after.schedules
    assert prefect.api.timetables.upcoming(early, 3) == []

    prefect.api.timetables.activate(before.id, chosen, is_active=True)
    assert {each.is_active for each in timetable(prefect, deployment).schedules} == {True}


def test_a_deployment_that_is_not_there_is_refused(prefect: Subject) -> None:
    with pytest.raises(ServerError):
        prefect.api.timetables.pause(_MISSING, is_paused=True)
    with pytest.raises(ServerError):
        prefect.api.timetables.activate(_MISSING, _SCHEDULE, is_active=True)


ASKED: list[Callable[[Api], object]] = [
    lambda api: api.timetables.all(),
    lambda api: api.timetables.upcoming(_MISSING, 1),
    lambda api: api.timetables.pause(_MISSING, is_paused=True),
    lambda api: api.timetables.activate(_MISSING, _SCHEDULE, is_active=True),
]


@pytest.mark.parametrize("kind", ["fake", "real"])
@pytest.mark.parametrize("ask", ASKED)
def test_a_server_that_is_not_there_is_said_to_be_away(kind: str, ask: Callable[[Api], object]) -> None:
    real = PrefectApi("http://127.0.0.1:9/api", SecretStr(AUTH))
    with pytest.raises(ServerError, match="doesn't answer"):
        ask(FakePrefect(is_up=False) if kind == "fake" else real)
