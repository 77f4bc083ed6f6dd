"""Disputes as the clearing house works on them: by deadline, and each with the line that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session


class LineRow(NamedTuple):
    """A leg with its transaction; hotels, systems and rulebook by number, money in fen."""

    txn_ref: str
    kind: str
    business_date: date
    late: bool
    host_hotel: int
    host_system: int
    issuer_hotel: int
    issuer_system: int
    rulebook: int
    points: int | None
    base_minor: int
    obligation_minor: int
    fee_minor: int


def by_deadline(
    session: Session, states: Sequence[str], after: tuple[datetime, UUID] | None, limit: int
) -> list[UUID]:
    """Return disputes in some states, those first whose answer was or is due first, behind one of them."""
    at, dispute_id = after or (None, None)
    rows = session.rows(
        "SELECT dispute_id FROM disputes WHERE state = ANY (%s::text[]) AND (%s::timestamptz IS NULL"
        " OR (answer_due_at, dispute_id) > (%s, %s::uuid)) ORDER BY answer_due_at, dispute_id LIMIT %s",
        [array(states), at, at, dispute_id, limit],
    )
    return [row[0] for row in rows]


def line(session: Session, txn_id: UUID, leg_no: int) -> LineRow | None:
    """Return a leg with its transaction."""
    row = session.row(
        "SELECT t.txn_ref, t.kind, t.business_date, t.late, g.host_hotel, g.host_system, g.issuer_hotel,"
        " g.issuer_system, g.rulebook, g.points, g.base_minor, g.obligation_minor, g.fee_minor"
        " FROM legs g JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id"
        " WHERE g.period = %s AND g.txn_id = %s AND g.leg_no = %s",
        [period_of_id(txn_id), txn_id, leg_no],
    )
    return LineRow(*row) if row else None
