"""schedules, schedules pause and schedules resume, as typed."""

import json
from datetime import UTC, datetime

import pytest

from commands import Cli
from platformctl.model.schedules import Schedule, Timetable

NAME = "hello/nightly"
SUMMER = datetime(2099, 7, 1, 4, tzinfo=UTC)


@pytest.fixture
def scheduled(running: Cli) -> Cli:
    """Return a command line on a platform with two deployments, one of them with schedules."""
    schedules = (
        Schedule("s1", "early", "cron", "0 6 * * *", "Europe/Berlin", "", is_active=True, parameters={"source": "sea"}),
        Schedule("s2", "", "interval", "7200", "UTC", "2026-01-01T00:00:00Z", is_active=True),
    )
    held = running.fakes.prefect.timetables
    held.held = {"d1": Timetable("d1", NAME, False, schedules), "d2": Timetable("d2", "hello/other", False, ())}
    held.times = {"s1": [SUMMER, SUMMER.replace(day=2)], "s2": [SUMMER]}
    return running


def states(cli: Cli) -> list[str]:
    return [row["state"] for row in json.loads(cli("schedules", "-o", "json").output)]


def test_schedules_are_listed_with_their_next_times(scheduled: Cli) -> None:
    for words in (["schedules"], ["schedules", NAME], ["schedules", "ls", NAME]):
        result = scheduled(*words)
        assert result.exit_code == 0, result.output
        head, first, second, *_ = result.output.splitlines()
        assert head.split() == ["DEPLOYMENT", "SCHEDULE", "WHEN", "ZONE", "STATE", "NEXT"]
        assert "early     cron 0 6 * * *  Europe/Berlin  active  in " in first
        assert "2         interval 2h     UTC            active  in " in second
        assert "hello/nightly early\n  Wed 2099-07-01 06:00:00 CEST" in result.output
        assert '  with source="sea"' in result.output
    assert "2099-07-02" not in scheduled("schedules", "-n", "1").output


def test_schedules_are_json(scheduled: Cli) -> None:
    first, second = json.loads(scheduled("schedules", "-o", "json").output)
    assert first["next"] == ["2099-07-01T06:00:00+02:00", "2099-07-02T06:00:00+02:00"]
    assert (first["schedule"], second["schedule"], second["when"]) == ("early", "2", "interval 2h")


def test_a_deployment_is_paused_and_resumed(scheduled: Cli) -> None:
    assert "hello/nightly is paused: its schedules start no runs." in scheduled("schedules", "pause", NAME).output
    assert states(scheduled) == ["deployment paused"] * 2
    assert "2099" not in scheduled("schedules").output

    assert "hello/nightly is resumed" in scheduled("schedules", "resume", NAME).output
    assert states(scheduled) == ["active"] * 2


def test_one_schedule_is_paused_by_its_slug_or_number(scheduled: Cli) -> None:
    scheduled("schedules", "pause", NAME, "--slug", "early")
    assert states(scheduled) == ["paused", "active"]
    scheduled("schedules", "pause", NAME, "--slug", "2")
    assert states(scheduled) == ["paused", "paused"]

    resumed = scheduled("schedules", "resume", NAME).output
    assert "early, 2 stay paused by themselves: `--slug early` resumes one" in resumed
    scheduled("schedules", "pause", NAME)
    assert "but all of the deployment is paused" in scheduled("schedules", "resume", NAME, "--slug", "2").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hello/nightli"], "did you mean 'hello/nightly'?"),
        (["pause", "hello/nightli"], "did you mean 'hello/nightly'?"),
        (["pause", "hello/other"], "hello/other has no schedules."),
        (["pause", NAME, "--slug", "erly"], "did you mean 'early'?"),
    ],
)
def test_what_is_not_there_is_refused(scheduled: Cli, words: list[str], said: str) -> None:
    result = scheduled("schedules", *words)
    assert result.exit_code == 2
    assert said in result.output
    assert states(scheduled) == ["active"] * 2


def test_without_schedules_that_is_said(running: Cli) -> None:
    assert "There are no schedules." in running("schedules").output
