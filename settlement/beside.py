"""A run that a page asks for: it goes on beside the request, and the database tells how far it is (decision 0031).

With a broker the workers do it. Without one a thread of this process does, as ``clearinghouse settle`` would: under
the run's lock, resumable by anybody, and what stops it is remembered in the database. A process that ends takes its
thread along; the page then says that nobody is at it, and lets it be taken up again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from threading import Lock, Thread
from typing import NamedTuple

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.calendar import cut_off, format_period, last_day, local_date, period_of
from clearinghouse.domain.errors import OperatorRefused, PeriodNotReady
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.close import must_be_closable
from clearinghouse.operations.context import Context
from clearinghouse.store import desk, periods, runs
from clearinghouse.store.periods import PUBLISHED, UNDER_WAY
from clearinghouse.store.runs import Failure, Standing
from settlement.run import settle, standing
from settlement.schedule import must_be_next

_SHOWN = 24
_LOOKS, _BETWEEN_LOOKS_SECONDS = 3, 0.02
#: The runs that threads of this process are at, by the database they are in and the period.
_mine: set[tuple[int, int]] = set()
_guard = Lock()


class Progress(NamedTuple):
    """How far a run is; ``at_work`` tells that somebody is at it now, in whatever process.

    ``failure`` is why it stopped last, unless it has been published since.
    """

    standing: Standing
    at_work: bool
    failure: Failure | None


class Month(NamedTuple):
    """A month of the calendar: its state (``None``: nothing is posted yet) and days, planned where still to come."""

    period: int
    state: str | None
    cut_off_at: datetime | None
    due_on: date | None
    closing_at: datetime | None
    published_at: datetime | None


def start(
    context: Context, period: int, authority: Authority, ask: Callable[[int], None] | None = None
) -> None:
    """Start or resume the run of a period, and return at once; ``ask`` reaches the workers, if there are any.

    Raises:
        PeriodNotReady: the period can't be closed yet, or an earlier one has to be settled first.
        OperatorRefused: it is published, or somebody is at it already.
        ClearinghouseError: the workers can't be reached.
    """
    by = fit_authority(authority)
    must_be_next(context, period)
    must_be_closable(context, period)
    name = format_period(period)
    with context.database.office() as session:
        state = periods.state_of(session, period)
        if state in PUBLISHED:
            raise OperatorRefused(f"{name} is published already")
        if runs.is_at_work(session, period):
            raise OperatorRefused(f"the run of {name} is under way already")
        told = {"state": state, "by": "workers" if ask is not None else "this process"}
        log(session, context.clock(), by, "period.settle", f"period {name}", told)
    if ask is not None:
        ask(period)
        return
    key = (id(context.database), period)
    with _guard:
        if key in _mine:
            raise OperatorRefused(f"the run of {name} is under way already")
        _mine.add(key)
    Thread(target=_run, args=(context, period, key), name=f"run {name}", daemon=True).start()


def progress(context: Context, period: int) -> Progress:
    """Return how far the run of a period is."""
    seen, failure = standing(context, period)
    with _guard:
        at_work = (id(context.database), period) in _mine
    looks = 0 if at_work or seen.state in PUBLISHED else _LOOKS if is_under_way(seen.state) else 1
    for look in range(looks):
        # From one stage to the next nobody holds a lock for a moment.
        time.sleep(_BETWEEN_LOOKS_SECONDS if look else 0)
        with context.database.office() as session:
            at_work = runs.is_at_work(session, period)
        if at_work:
            break
    return Progress(seen, at_work, None if seen.state in PUBLISHED else failure)


def calendar(context: Context) -> list[Month]:
    """Return the months that were ever opened and those until the present one, the newest first."""
    directory = context.current_directory()
    now = period_of(business_day(directory, context.clock()))
    with context.database.office() as session:
        known = {row.period: row for row in desk.period_dates(session, _SHOWN)}
    if not known:
        return []
    months = []
    for period in sorted({*known, *range(max(known), now + 1)}, reverse=True):
        version = directory.rulebook_on(last_day(period))
        at = due = None
        if version is not None:
            rules = version.rulebook
            at = cut_off(period, rules.cutoff_days, rules.timezone)
            due = local_date(at, rules.timezone) + timedelta(days=rules.payment_days)
        row = known.get(period)
        if row is None:
            months.append(Month(period, None, at, due, None, None))
        else:
            dates = row.due_on or due, row.closing_at, row.published_at
            months.append(Month(period, row.state, at, *dates))
    return months


def may_be_settled(context: Context, period: int) -> str | None:
    """Return why a run of a period can't be started or resumed now, in a sentence; ``None`` if it can."""
    try:
        must_be_next(context, period)
        must_be_closable(context, period)
    except PeriodNotReady as reason:
        return reason.message
    return None


def is_under_way(state: str | None) -> bool:
    """Tell whether a period in this state has a run that is begun and not published."""
    return state in UNDER_WAY


def _run(context: Context, period: int, key: tuple[int, int]) -> None:
    try:
        # What stops it is remembered in the database by the run, and shown on the page.
        with suppress(Exception):
            settle(context, period)
    finally:
        with _guard:
            _mine.discard(key)
