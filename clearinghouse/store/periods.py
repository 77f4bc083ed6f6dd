"""Periods: making their partitions, and the state that each is in (domain.md §4)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from clearinghouse.store.database import Session
from clearinghouse.store.loading import PERIOD_LOCK

#: Advisory lock under which periods are opened (the function ``open_period`` takes it) and closed.
OPENING_LOCK = 727001

#: The stages of a period, in order.
STATES = ("open", "closing", "netted", "stated", "published", "settled")
#: Those in which a period's files may be seen, and never change.
PUBLISHED = ("published", "settled")
#: Those of a run that is under way.
UNDER_WAY = ("closing", "netted", "stated")


class PeriodState(NamedTuple):
    """A period that has legs, and the stage it has reached."""

    period: int
    state: str


def hold_opening_lock(session: Session) -> None:
    """Let no period be opened until this transaction ends."""
    session.row("SELECT pg_advisory_xact_lock(%s)", [OPENING_LOCK])


def open_period(session: Session, period: int) -> None:
    """Make the partitions of a period, unless they are there or a later period is closed."""
    session.run("SELECT open_period(%s)", [period])


def hold_period(session: Session, wanted: int) -> int:
    """Return the period that an entry of a month goes to, which is there: the month if it is open, else the next one.

    That is the earliest one behind what is closed; a month before the first one of all is not opened for an entry. It
    stays open until this transaction ends: its closing commits its first stage and then waits for us.
    """
    held = 0
    while True:
        row = session.row(
            "SELECT coalesce(max(period) FILTER (WHERE state <> 'open'), 0), coalesce(min(period), 0)"
            " FROM periods"
        )
        closed, first = row or (0, 0)
        target = max(wanted, int(closed) + 1, int(first))
        if target != held:
            # Read again under the lock: what was open may have begun to close before we had it.
            session.row("SELECT pg_advisory_xact_lock_shared(%s, %s)", [PERIOD_LOCK, target])
            held = target
        elif state_of(session, target) is None:
            # It keeps others from opening and closing until this transaction ends, so only where it must be.
            open_period(session, target)
        else:
            return target


def earliest_open(session: Session, present: int) -> int:
    """Return the period behind the last closed one; ``present`` while none has ever been closed."""
    closed = closed_through(session)
    return closed + 1 if closed else present


def periods(session: Session) -> list[PeriodState]:
    """Return all periods that were ever opened, oldest first."""
    return [
        PeriodState(*row) for row in session.rows("SELECT period, state FROM periods ORDER BY 1")
    ]


class PeriodHistory(NamedTuple):
    """A period, its stage, and when it was published if it was."""

    period: int
    state: str
    published_at: datetime | None


def newest(session: Session, *, before: int | None, most: int) -> list[PeriodHistory]:
    """Return up to ``most`` periods, the newest first; given ``before``, only older ones."""
    rows = session.rows(
        "SELECT period, state, published_at FROM periods WHERE %s::int IS NULL OR period < %s"
        " ORDER BY period DESC LIMIT %s",
        [before, before, most],
    )
    return [PeriodHistory(*row) for row in rows]


def hold_closed_through(session: Session) -> int:
    """Return the last period that is closed or closing (0: none), and let none close until this transaction ends."""
    hold_opening_lock(session)
    return closed_through(session)


def closed_through(session: Session) -> int:
    """Return the last period that takes no more legs; 0 if there is none."""
    row = session.row("SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open'")
    return int(row[0]) if row else 0


def state_of(session: Session, period: int) -> str | None:
    """Return the state of a period; ``None`` if nothing was ever posted to it."""
    row = session.row("SELECT state FROM periods WHERE period = %s", [period])
    return row[0] if row else None


def closing_at(session: Session, period: int) -> datetime | None:
    """Return when a period was marked closing, which never changes; ``None`` before it is."""
    row = session.row("SELECT closing_at FROM periods WHERE period = %s", [period])
    return row[0] if row else None


def advance(session: Session, period: int, state: str) -> None:
    """Move a period to its next stage; the database refuses any other."""
    session.run("UPDATE periods SET state = %s WHERE period = %s", [state, period])


def publish(session: Session, period: int, at: datetime) -> None:
    """Make a period immutable."""
    session.run(
        "UPDATE periods SET state = 'published', published_at = %s WHERE period = %s", [at, period]
    )
