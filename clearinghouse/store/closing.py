"""Closing a period: its state, waiting for those who still post to it, and what expires with it (domain.md §4)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from clearinghouse.domain.calendar import last_day
from clearinghouse.domain.pools import Debt, Lot
from clearinghouse.store.bulk import array, arrays
from clearinghouse.store.database import Session
from clearinghouse.store.loading import (
    DEBT_COLUMNS,
    LOT_COLUMNS,
    PERIOD_LOCK,
    debt_from_row,
    lot_from_row,
)

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


class Due(NamedTuple):
    """What ends for a traveller with a period, all by number."""

    traveller: int
    lots: list[int]
    debts: list[int]


def due(session: Session, period: int) -> Iterator[Due]:
    """Yield the travellers who have lots to expire or debts to end with this period, in the order of their numbers.

    The lots of all periods are looked through once, not for each part of the travellers again.
    """
    day = last_day(period)
    for row in session.stream(
        "SELECT traveller, coalesce(array_agg(lot) FILTER (WHERE lot IS NOT NULL), '{}'),"
        " coalesce(array_agg(debt) FILTER (WHERE debt IS NOT NULL), '{}') FROM ("
        " SELECT traveller, number AS lot, NULL::bigint AS debt FROM lots"
        "  WHERE expires_on <= %s AND remaining > held AND period <= %s"
        " UNION ALL SELECT traveller, NULL, number FROM debts WHERE ends_on <= %s AND posted > 0 AND period <= %s"
        ") AS due GROUP BY traveller ORDER BY traveller",
        [day, period, day, period],
    ):
        yield Due(*row)


def due_lots_and_debts(
    session: Session, period: int, wanted: Sequence[Due]
) -> tuple[list[Lot], list[Debt]]:
    """Lock travellers, in the order of their numbers, and load what still ends for them with this period."""
    day = last_day(period)
    session.rows(
        "SELECT FROM travellers WHERE number = ANY (%s::bigint[]) ORDER BY number FOR NO KEY UPDATE",
        [array(each.traveller for each in wanted)],
    )
    lots = session.rows(
        f"SELECT {LOT_COLUMNS} FROM lots WHERE number = ANY (%s::bigint[])"
        " AND expires_on <= %s AND remaining > held AND period <= %s ORDER BY number",
        [array(lot for each in wanted for lot in each.lots), day, period],
    )
    debts = session.rows(
        f"SELECT {DEBT_COLUMNS} FROM debts WHERE number = ANY (%s::bigint[])"
        " AND ends_on <= %s AND posted > 0 AND period <= %s ORDER BY number",
        [array(debt for each in wanted for debt in each.debts), day, period],
    )
    return [lot_from_row(row) for row in lots], [debt_from_row(row) for row in debts]


def write_expired(session: Session, lots: list[Lot], debts: list[Debt]) -> None:
    """Write what expired of lots and what of debts has left the ledger."""
    if lots:
        session.run(
            "UPDATE lots SET remaining = n.remaining, expired = n.expired"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS n (number, remaining, expired)"
            " WHERE lots.number = n.number",
            arrays([(lot.number, lot.remaining, lot.expired) for lot in lots]),
        )
    if debts:
        session.run(
            "UPDATE debts SET posted = 0 WHERE number = ANY (%s::bigint[])",
            [array(debt.number for debt in debts)],
        )
