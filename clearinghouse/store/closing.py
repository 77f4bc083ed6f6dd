"""Closing a period: its state, waiting for those who still post to it, and what expires with it (domain.md §4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from clearinghouse.domain.calendar import last_day
from clearinghouse.store.breakage import Ending, parts
from clearinghouse.store.database import Session
from clearinghouse.store.loading import PERIOD_LOCK

_TRY_EVERY_SECONDS = 0.005


def mark_closing(session: Session, period: int, at: datetime) -> None:
    """Let the period take no more legs, from the moment this commits."""
    session.run(
        "UPDATE periods SET state = 'closing', closing_at = %s WHERE period = %s AND state = 'open'",
        [at, period],
    )


def await_posters(session: Session, period: int) -> None:
    """Wait until nobody posts to the period any more; call it after ``closing`` is committed.

    It tries for the lock instead of queueing for it: a waiting exclusive lock would hold up every poster
    that comes behind it.
    """
    while True:
        row = session.row("SELECT pg_try_advisory_xact_lock(%s, %s)", [PERIOD_LOCK, period])
        if row and row[0]:
            return
        time.sleep(_TRY_EVERY_SECONDS)


def is_closing(session: Session, period: int) -> bool:
    """Tell whether a period is still closing, and if so let nobody net it until this transaction ends.

    Call it before travellers are locked: whoever nets it just now is waited for.
    """
    return _is_closing(session, period, "SHARE")


def hold_to_net(session: Session, period: int) -> bool:
    """Tell whether a period is closing, when all is committed that was being posted to it.

    If so nothing more is posted to it, and nobody else nets it, until this transaction ends.
    """
    return _is_closing(session, period, "NO KEY UPDATE")


def _is_closing(session: Session, period: int, strength: str) -> bool:
    # By the row of the period, which no till locks; who had to wait for it sees it as it is then.
    row = session.row(
        f"SELECT FROM periods WHERE period = %s AND state = 'closing' FOR {strength}", [period]
    )
    return row is not None


def due(session: Session, period: int) -> Iterator[Ending]:
    """Yield what ends with a period, in parts by traveller: lots whose last day has come, and debts.

    That is what has its last day in the period or before, and was there by then: what came into the books with a later
    period ends with that one (``Lot.expiry_posted`` judges the same before it is written).
    """
    day = last_day(period)
    return parts(
        session,
        "SELECT traveller, number, NULL::bigint FROM lots"
        " WHERE expires_on <= %s AND remaining > held AND period <= %s"
        " UNION ALL SELECT traveller, NULL, number FROM debts WHERE ends_on <= %s AND posted > 0 AND period <= %s",
        [day, period, day, period],
    )
