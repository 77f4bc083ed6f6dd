"""What the rulebook's calendar says is to be settled now (domain.md §2 ``cutoff_days``, §4)."""

from __future__ import annotations

from datetime import timedelta

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import PeriodNotReady
from clearinghouse.operations.close import must_be_closable
from clearinghouse.operations.context import Context
from clearinghouse.store import imports, periods, runs
from clearinghouse.store.periods import UNDER_WAY

#: A run that failed is not tried again at once by the calendar: what does not balance does not by itself.
_REST_AFTER_FAILURE = timedelta(minutes=1)


def period_due(context: Context) -> int | None:
    """Return the one month that a run should be working at now, or ``None``.

    That is the month whose run is under way; else the month behind the last closed one, or the first month that was
    ever opened, once its cut-off has passed. A month in which nothing was posted is closed like any other: points
    expire with it, and every system gets its statement. While an import runs no month is closed by the calendar, since
    history may be coming in that belongs to it.
    """
    with context.database.office() as session:
        known = periods.periods(session)
        under_way = [row.period for row in known if row.state in UNDER_WAY]
        closed = [row.period for row in known if row.state != "open"]
        importing = imports.is_running(session)
    if under_way:
        return _rested(context, under_way[0])
    if importing or not known:
        return None
    period = closed[-1] + 1 if closed else known[0].period
    try:
        must_be_closable(context, period)
    except PeriodNotReady:
        return None
    return _rested(context, period)


def must_be_next(context: Context, period: int) -> None:
    """Refuse to take up a month while an earlier one is under way: the figures of one open the next.

    Raises:
        PeriodNotReady: one is.
    """
    with context.database.office() as session:
        for known in periods.periods(session):
            if known.period < period and known.state in UNDER_WAY:
                raise PeriodNotReady(
                    f"{format_period(known.period)} is being settled and not published yet; settle that first"
                )


def _rested(context: Context, period: int) -> int | None:
    with context.database.office() as session:
        failure = runs.failure_of(session, period)
    rested = failure is None or context.clock() - failure.at >= _REST_AFTER_FAILURE
    return period if rested else None
