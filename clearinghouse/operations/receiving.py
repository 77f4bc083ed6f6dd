"""What the API refuses by the moment of receipt, and an import, which replays history, does not (domain.md §3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.transactions import Line

#: How far a hotel's clock may be ahead of ours. Further, and it says what has not happened: a reversed day and month,
#: a wrong time zone, or a line made up.
CLOCK_SKEW = timedelta(minutes=5)


def refuse_at_reception(directory: Directory, line: Line, now: datetime) -> RefusalCode | None:
    """Return why a line can't be taken any more, or not yet, by the rulebook of the day it is received."""
    today = business_day(directory, now)
    if line.business_date > today:
        return RefusalCode.BUSINESS_DATE_IN_FUTURE
    if line.occurred_at > now + CLOCK_SKEW:
        return RefusalCode.OCCURRED_AT_IN_FUTURE
    in_force = directory.rulebook_on(today)
    days = (today - line.business_date).days
    if in_force is not None and days > in_force.rulebook.presentment_days_max:
        return RefusalCode.PRESENTMENT_TOO_LATE
    return None
