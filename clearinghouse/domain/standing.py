"""The standing of a member: suspended for a time, or leaving with a run-off of its points (domain.md §2, §4 "Risk").

A *suspension* works from the moment it is recorded, whatever the business date: it guards money that is at stake
now. A *withdrawal* is an agreement and dated: from its business date on the system neither issues nor hosts
others, and what it has issued stays good until the end of its run-off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from clearinghouse.domain.calendar import end_of_month_after


class Step(StrEnum):
    """What was recorded of a system's standing."""

    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    WITHDRAWN = "withdrawn"


class Standing(NamedTuple):
    """How a system stands; one that is neither suspended nor leaving needs none.

    ``withdrawn_on`` is the first business date on which it is a member no more, ``run_off_until`` the last one on
    which its points are good.
    """

    suspended: bool = False
    withdrawn_on: date | None = None
    run_off_until: date | None = None

    @property
    def is_plain(self) -> bool:
        """Tell whether there is nothing to know: a member like any other."""
        return not self.suspended and self.withdrawn_on is None

    def may_issue(self, business_date: date) -> bool:
        """Tell whether its hotels may issue points and stored value."""
        return self.withdrawn_on is None or business_date < self.withdrawn_on

    def may_cross(self, business_date: date) -> bool:
        """Tell whether its hotels may host cards, points and stored value of other systems."""
        return not self.suspended and self.may_issue(business_date)

    def is_over(self, business_date: date) -> bool:
        """Tell whether its run-off has ended, and with it whatever it had issued."""
        return self.run_off_until is not None and business_date > self.run_off_until


def standing_after(steps: Iterable[tuple[Step, date | None, date | None]]) -> Standing:
    """Return the standing that steps lead to, in the order in which they were recorded.

    Each is what happened and, of a withdrawal, its date and the end of the run-off.
    """
    standing = Standing()
    for step, withdrawn_on, run_off_until in steps:
        if step is Step.WITHDRAWN:
            standing = standing._replace(withdrawn_on=withdrawn_on, run_off_until=run_off_until)
        else:
            standing = standing._replace(suspended=step is Step.SUSPENDED)
    return standing


def run_off_end(withdrawn_on: date, run_off_months: int) -> date:
    """Return the last business date on which points of a leaving member are good: the end of a month (§2)."""
    return end_of_month_after(withdrawn_on, run_off_months)
