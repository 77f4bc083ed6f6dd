"""When a month's legs are staged for its statements: most of a long month at night while it is open, the rest by a run.

At night what staging takes of the processors is nobody's loss; once a month closes, it stands between the netting and
the statements (decision 0020).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from clearinghouse.domain.calendar import zone
from clearinghouse.operations.close import rulebook_of_period
from clearinghouse.operations.context import Context
from clearinghouse.store import periods, staging
from settlement.frozen_run import FrozenRun

#: Hours of the day in which it is night, in the alliance's time zone.
_NIGHT = range(4, 6)
#: Beside younger transactions others may be under way that come before them.
_SETTLED = timedelta(hours=1)


def stage(context: Context, run: FrozenRun) -> None:
    """Stage what is not staged yet of a netted period; who comes beside it helps."""
    with context.database.office() as session:
        chunks = staging.begun(session, run.period)
    if not chunks:
        with context.database.office() as session:
            chunks = staging.begin(session, run.period, run.rulebook.timezone)
    for wait in (False, True):
        for chunk in range(chunks):
            _make(context, run.period, chunk, wait=wait)


def stage_ahead(context: Context, *, at_night: bool = False) -> int | None:
    """Stage the next chunk of an open period, of which it is one of some hundred thousand legs; return the period.

    ``None``: in no open period so many legs wait for it, or it should be night there and is not.

    Raises:
        PeriodNotReady: no rulebook is in force at the end of an open period.
    """
    with context.database.office() as session:
        directory = context.directory.current(session)
        found = [row.period for row in periods.periods(session) if row.state == "open"]
    for period in found:
        timezone = rulebook_of_period(directory, period).rulebook.timezone
        if at_night and context.clock().astimezone(zone(timezone)).hour not in _NIGHT:
            continue
        with context.database.office() as session:
            chunk = staging.ahead(session, period, timezone, _latest(context, period))
        if chunk is not None:
            _make(context, period, chunk, wait=True)
            return period
    return None


def _latest(context: Context, period: int) -> UUID:
    """Return an identifier behind those of transactions that nobody comes before any more."""
    milliseconds = _SETTLED // timedelta(milliseconds=1)
    # The upper 48 bits of an identifier are the time it was made at.
    return UUID(int=context.new_id(period).int - (milliseconds << 80))


def _make(context: Context, period: int, chunk: int, *, wait: bool) -> None:
    """Take a chunk as far as it goes, each step in a transaction of its own."""
    done = False
    while not done:
        with context.database.office() as session:
            done = staging.stage(session, period, chunk, wait=wait)
