"""The four months of the sample: a year ago, the month before, the shown month, the next one."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

ALLIANCE_TIME = timezone(timedelta(hours=8))
"""Asia/Shanghai has had no other offset since 1991; so no time zone data is needed."""

YEAR_AGO, PREVIOUS, SHOWN, NEXT = -12, -1, 0, 1
"""Offsets from the shown month. With an expiry of 12 months, points of YEAR_AGO end with SHOWN."""

RULE_CHANGE_DAY = 15
HOTEL_MOVES_DAY = 16
HOTEL_OPENS_DAY = 12
LIVE_DAY = 20


def moment(on: date, minute: int, second: int = 0) -> datetime:
    """The moment so many minutes and seconds after the alliance's midnight."""
    clock = time(minute // 60, minute % 60, second, tzinfo=ALLIANCE_TIME)
    return datetime.combine(on, clock)


@dataclass(frozen=True, slots=True)
class Months:
    """Dates relative to the shown month, itself counted as year*12 + month-1."""

    shown: int

    @classmethod
    def parse(cls, period: str) -> Months:
        """Read `YYYY-MM`; raises ValueError on anything else."""
        first = date.fromisoformat(f"{period}-01")
        return cls(first.year * 12 + first.month - 1)

    def name(self, offset: int = SHOWN) -> str:
        """The period `YYYY-MM` at this offset."""
        return f"{self.day(1, offset):%Y-%m}"

    def day(self, number: int, offset: int = SHOWN) -> date:
        """The day with this number in the month at this offset."""
        year, month = divmod(self.shown + offset, 12)
        return date(year, month + 1, number)

    def last_day(self, offset: int = SHOWN) -> int:
        """How many days the month at this offset has."""
        year, month = divmod(self.shown + offset, 12)
        return monthrange(year, month + 1)[1]

    def at(self, day: int, clock: str, offset: int = SHOWN) -> datetime:
        """The moment `HH:MM` of a day, in the alliance's time zone."""
        hour, minute = clock.split(":")
        return moment(self.day(day, offset), int(hour) * 60 + int(minute))

    def offset_of(self, on: date) -> int:
        """The offset of the month that holds this date."""
        return on.year * 12 + on.month - 1 - self.shown

    @property
    def rule_change(self) -> date:
        """First business date of the third rulebook version."""
        return self.day(RULE_CHANGE_DAY)

    @property
    def hotel_moves(self) -> date:
        """First business date on which the moving hotel is in its new system."""
        return self.day(HOTEL_MOVES_DAY)

    @property
    def hotel_opens(self) -> date:
        """First business date on which the new hotel is known."""
        return self.day(HOTEL_OPENS_DAY)
