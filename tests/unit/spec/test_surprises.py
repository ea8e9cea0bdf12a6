"""What a schedule does when clocks change, and its reader may not expect."""

from datetime import UTC, datetime

import pytest

from platformctl.spec.prefect_yaml.schedules import find_surprise

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("interval", [86400, "P1D", 7 * 86400, 86400.0])
def test_days_without_a_zone_are_days_of_utc(interval: object) -> None:
    assert "its days are counted in UTC" in (find_surprise({"interval": interval}, NOW) or "")
    assert find_surprise({"interval": interval, "timezone": "Europe/Berlin"}, NOW) is None


@pytest.mark.parametrize(
    ("cron", "zone", "due"),
    [
        ("30 2 * * *", "Europe/Berlin", "02:30 on 2026-03-29"),
        ("0 2 * * *", "Europe/Berlin", "02:00 on 2026-03-29"),
        ("0 0,2 * * 0", "Europe/Berlin", "02:00 on 2026-03-29"),
        ("*/30 2-3 * * *", "America/New_York", "02:00 on 2026-03-08"),
        ("15 2 * * *", "Australia/Lord_Howe", "02:15 on 2026-10-04"),
        ("0 0 * * *", "Africa/Cairo", "00:00 on 2026-04-24"),
    ],
)
def test_a_time_that_the_clocks_skip_is_named(cron: str, zone: str, due: str) -> None:
    assert f"it is due at {due}, which the clocks of {zone} skip" in (
        find_surprise({"cron": cron, "timezone": zone}, NOW) or ""
    )


@pytest.mark.parametrize(
    "schedule",
    [
        {"interval": 3600},
        {"interval": 90000},
        {"cron": "0 9-17 * * 1-5"},
        {"cron": "30 2 * * *"},
        {"cron": "30 2 * * *", "timezone": "UTC"},
        {"cron": "30 2 * * *", "timezone": "Asia/Tokyo"},
        {"cron": "0 3 * * *", "timezone": "Europe/Berlin"},
        {"cron": "59 1 * * *", "timezone": "Europe/Berlin"},
        {"cron": "30 2 * * 1-5", "timezone": "Europe/Berlin"},
        {"cron": "30 2 1 * *", "timezone": "Europe/Berlin"},
        {"cron": "*/15 * * * *", "timezone": "Europe/Berlin"},
        {"cron": "40 2 * * *", "timezone": "Australia/Lord_Howe"},
        {"rrule": "FREQ=DAILY"},
        {},
    ],
)
def test_what_no_clock_changes_is_no_surprise(schedule: dict[str, object]) -> None:
    assert find_surprise(schedule, NOW) is None
