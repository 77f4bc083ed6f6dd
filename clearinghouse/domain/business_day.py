"""What business date it is in the alliance's time zone (domain.md §1 "period", §2 ``timezone``)."""

from __future__ import annotations

from datetime import date, datetime

from clearinghouse.domain.calendar import local_date
from clearinghouse.domain.directory import Directory

#: Where there is no rulebook yet (domain.md §2).
_DEFAULT_TIMEZONE = "Asia/Shanghai"


def business_day(directory: Directory, moment: datetime) -> date:
    """Return the local date of a moment, by the rulebook in force around it."""
    in_force = directory.rulebook_on(moment.date())
    return local_date(moment, in_force.rulebook.timezone if in_force else _DEFAULT_TIMEZONE)
