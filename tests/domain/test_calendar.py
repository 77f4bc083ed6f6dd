"""Periods, business dates and the scheduled cut-off (domain.md §1, §2)."""

from datetime import UTC, date, datetime

import pytest

from clearinghouse.domain.calendar import (
    cut_off,
    end_of_month_after,
    first_day,
    format_period,
    last_day,
    local_date,
    parse_period,
    period_of,
)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2100-02", date(2100, 2, 1), date(2100, 2, 28)),
        ("0001-01", date(1, 1, 1), date(1, 1, 31)),
    ],
)
def test_a_period_is_a_calendar_month(text: str, first: date, last: date) -> None:
    period = parse_period(text)
    assert (first_day(period), last_day(period)) == (first, last)
    assert period_of(first) == period_of(last) == period
    assert format_period(period) == text


def test_periods_count_months() -> None:
    assert parse_period("2027-01") == parse_period("2026-12") + 1


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026/11", "2026-11-01", " 2026-11",
     "2026-11\n", "0000-01", "２０２６-11", "+026-11"],
)  # fmt: skip
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a month"):
        parse_period(text)


@pytest.mark.parametrize(
    ("issued", "months", "expires"),
    [
        (date(2026, 11, 2), 12, date(2027, 11, 30)),  # §6
        (date(2026, 10, 31), 12, date(2027, 10, 31)),
        (date(2017, 1, 31), 1, date(2017, 2, 28)),
        (date(2016, 1, 1), 1, date(2016, 2, 29)),
        (date(2016, 12, 31), 0, date(2016, 12, 31)),
        (date(2016, 12, 1), 2, date(2017, 2, 28)),
    ],
)
def test_a_lot_expires_at_the_end_of_a_month(issued: date, months: int, expires: date) -> None:
    assert end_of_month_after(issued, months) == expires


@pytest.mark.parametrize(
    ("moment", "timezone", "day"),
    [
        ("2026-11-30T15:59:59+00:00", "Asia/Shanghai", date(2026, 11, 30)),
        ("2026-11-30T16:00:00+00:00", "Asia/Shanghai", date(2026, 12, 1)),
        ("2026-12-01T00:00:00+08:00", "Asia/Shanghai", date(2026, 12, 1)),
        ("2026-12-01T00:00:00+08:00", "America/New_York", date(2026, 11, 30)),
        ("2026-11-30T23:30:00-05:00", "Asia/Shanghai", date(2026, 12, 1)),
    ],
)
def test_the_local_date_of_a_moment(moment: str, timezone: str, day: date) -> None:
    assert local_date(datetime.fromisoformat(moment), timezone) == day


@pytest.mark.parametrize(
    ("period", "days", "timezone", "at"),
    [
        ("2026-11", 3, "Asia/Shanghai", datetime(2026, 12, 3, 16, tzinfo=UTC)),
        ("2026-11", 0, "Asia/Shanghai", datetime(2026, 11, 30, 16, tzinfo=UTC)),
        ("2026-12", 3, "UTC", datetime(2027, 1, 4, tzinfo=UTC)),
        (
            "2026-10",
            1,
            "America/New_York",
            datetime(2026, 11, 2, 5, tzinfo=UTC),
        ),  # clocks went back
    ],
)
def test_the_cut_off_is_midnight_some_days_after_the_end(
    period: str, days: int, timezone: str, at: datetime
) -> None:
    assert cut_off(parse_period(period), days, timezone) == at
