"""Business dates and periods: a period is a calendar month in the alliance's time zone (domain.md §1).

Inside the code a period is an ``int`` that counts months (``year * 12 + month - 1``); people see ``YYYY-MM``.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_PERIOD = re.compile(r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: Months are counted from this one inside transaction ids (12 bits reach the year 2341).
FIRST_PERIOD = 2000 * 12


def period_of(day: date) -> int:
    """Return the period that a date falls in."""
    return day.year * 12 + day.month - 1


def parse_period(text: str) -> int:
    """Return the period written ``YYYY-MM``.

    Raises:
        ValueError: the text is not a month.
    """
    found = _PERIOD.fullmatch(text)
    if found is None or found["year"] == "0000":
        raise ValueError(f'"{text[:20]}" is not a month; write it as YYYY-MM, for example 2026-10')
    return int(found["year"]) * 12 + int(found["month"]) - 1


def parse_day(text: str) -> date:
    """Return the date written ``YYYY-MM-DD``, and only so: no week dates, no digits of other scripts.

    Raises:
        ValueError: the text is not a date.
    """
    if _DAY.fullmatch(text) is None:
        raise ValueError(f'"{text[:20]}" is not a date; write it as YYYY-MM-DD')
    return date.fromisoformat(text)


def format_period(period: int) -> str:
    """Write a period as ``YYYY-MM``."""
    year, month = divmod(period, 12)
    return f"{year:04d}-{month + 1:02d}"


def first_day(period: int) -> date:
    """Return the first day of a period."""
    year, month = divmod(period, 12)
    return date(year, month + 1, 1)


def last_day(period: int) -> date:
    """Return the last day of a period."""
    return first_day(period + 1) - timedelta(days=1)


@lru_cache(maxsize=4096)
def end_of_month_after(day: date, months: int) -> date:
    """Return the end of the month that is ``months`` months after the date's (expiry of a lot, §2)."""
    return last_day(period_of(day) + months)


@lru_cache(maxsize=16)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name."""
    return ZoneInfo(name)


def local_date(moment: datetime, timezone: str) -> date:
    """Return the local date of a moment that carries an offset."""
    return moment.astimezone(zone(timezone)).date()


def cut_off(period: int, cutoff_days: int, timezone: str) -> datetime:
    """Return the scheduled cut-off of a period, in UTC: midnight, ``cutoff_days`` days after its end (§2).

    Published files carry this moment as ``generated_at``; of when the run happened they say the due date only, which
    counts from the day of the closing.
    """
    day = last_day(period) + timedelta(days=1 + cutoff_days)
    return datetime.combine(day, time.min, zone(timezone)).astimezone(UTC)
