"""When a month's legs are staged for its statements: most of a long month at night while it is open, the rest by a run.

At night what staging takes of the processors is nobody's loss; once a month closes, it stands between the netting and
the statements (decision 0020).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from clearinghouse.domain.calendar import zone
from clearinghouse.domain.errors import PeriodNotReady, StagedAnew
from clearinghouse.operations.close import rulebook_of_period
from clearinghouse.operations.context import Context
from clearinghouse.store import periods, runs, staging
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
    """Stage one chunk of an open period, and return which period's; ``None`` if there is nothing to do now.

    That is where no open period has legs enough for another chunk, where another process stages ahead, and, with
    ``at_night``, by day.
    """
    with context.database.office() as alone:
        if not runs.hold_ahead(alone):
            return None
        directory = context.directory.current(alone)
        found = [row.period for row in periods.periods(alone) if row.state == "open"]
        for period in found:
            try:
                timezone = rulebook_of_period(directory, period).rulebook.timezone
            except PeriodNotReady:
                continue
            if at_night and context.clock().astimezone(zone(timezone)).hour not in _NIGHT:
                continue
            with context.database.office() as session:
                before = _settled_before(context.new_id(period))
                chunk = staging.ahead(session, period, timezone, before)
            if chunk is None:
                continue
            # Closed and published in between, there is nothing to be staged of it.
            with suppress(StagedAnew):
                _make(context, period, chunk, wait=True)
                return period
    return None


def _settled_before(identifier: UUID) -> UUID:
    """Return an identifier as it would have been made ``_SETTLED`` before."""
    # The upper 48 bits are milliseconds.
    return UUID(int=identifier.int - (_SETTLED // timedelta(milliseconds=1) << 80))


def _make(context: Context, period: int, chunk: int, *, wait: bool) -> None:
    """Take a chunk as far as it goes, each step in a transaction of its own."""
    done = False
    while not done:
        with context.database.office() as session:
            done = staging.stage(session, period, chunk, wait=wait)
