"""When a flow run begins, as it is typed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from platformctl.commands.moments import read_start, short_span
from platformctl.errors import UsageError

NOW = datetime(2026, 1, 31, 12, tzinfo=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("span", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1.5h", 5400), ("1d", 86400)]
)
def test_a_span_is_counted_from_now(span: str, seconds: int) -> None:
    assert read_start(span, None, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("span", ["", "10", "m", "10 m", "-5m", "10min", "9" * 30 + "d"])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(UsageError, match="--in"):
        read_start(span, None, NOW)


def test_a_time_has_its_own_zone_or_the_local_one() -> None:
    assert read_start(None, "2026-02-01T18:00+01:00", NOW) == datetime(2026, 2, 1, 17, tzinfo=ZoneInfo("UTC"))
    assert read_start(None, "2026-02-01T18:00Z", NOW) == datetime(2026, 2, 1, 18, tzinfo=ZoneInfo("UTC"))
    assert read_start(None, "2026-02-01T18:00", NOW) == datetime(2026, 2, 1, 18).astimezone()
    assert read_start(None, "2026-02-01", NOW) == datetime(2026, 2, 1).astimezone()


def test_a_time_of_day_is_one_of_today() -> None:
    now = NOW.astimezone().replace(hour=12)
    assert read_start(None, "18:30", now) == now.replace(hour=18, minute=30)


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "", "25:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        read_start(None, text, NOW)


def test_a_time_that_is_past_is_refused() -> None:
    with pytest.raises(UsageError, match="is past"):
        read_start(None, "2026-01-31T11:59Z", NOW)


def test_one_of_both_is_enough() -> None:
    assert read_start(None, None, NOW) is None
    with pytest.raises(UsageError, match="--in and --at"):
        read_start("1m", "18:00", NOW)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1, "0.0s"), (0.25, "0.2s"), (59, "59s"), (119, "119s"), (120, "2m"), (7200, "2h"), (200_000, "2d")],
)
def test_a_span_is_shown_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert short_span(timedelta(seconds=seconds)) == shown
