"""A published period counted again from postings and legs, past roll-ups, frozen figures and staged legs.

This is the second path of a re-performance (decision 0020): nothing here is shared with what published the period, so
that a fault of either shows. It is slower, and meant to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind as A
from clearinghouse.domain.adjustments import Adjusted
from clearinghouse.domain.movements import MOVEMENT_KINDS
from clearinghouse.domain.netting import Obligations
from clearinghouse.store.database import Session
from clearinghouse.store.frozen import Liability

_POSITION, _FEES = int(A.POSITION), int(A.FEES)


class LegLine(NamedTuple):
    """One leg with its transaction; systems, hotels and rulebooks by number; ``lots`` only where the party issued."""

    txn_id: UUID
    txn_ref: str
    original_ref: str | None
    business_date: date
    occurred_at: datetime
    posted_at: datetime
    kind: str
    host_hotel: int
    host_system: int
    issuer_hotel: int
    issuer_system: int
    late: bool
    card_masked: str
    fee_kind: str
    points: int | None
    rulebook: int
    base_minor: int
    obligation_minor: int
    fee_minor: int
    lots: str | None


def leg_lines(session: Session, period: int, system: int | None) -> Iterator[LegLine]:
    """Yield the legs that a system is a party to, or all of them, in the order of a statement, out of the books."""
    party, lots = "true", "NULL"
    parameters: list[object] = [period]
    if system is not None:
        party = "(g.host_system = %s OR (g.issuer_system = %s AND g.fee_kind <> 'spend'))"
        lots = "CASE WHEN g.issuer_system = %s AND g.fee_kind <> 'spend' THEN l.lots END"
        parameters = [system, period, period, system, system]
    used = f"p.credit & 31 IN ({A.POINTS_REDEEMED:d}, {A.STORED_VALUE_USED:d})"
    drawn = (
        "SELECT p.entry_id, (CASE WHEN {used} THEN p.credit ELSE p.debit END) >> 5 AS hotel, string_agg('lot_' || p.lot"
        " || ':' || CASE WHEN {used} THEN p.amount ELSE -p.amount END, ';' ORDER BY p.seq) AS lots FROM postings p"
        f" WHERE p.period = %s AND p.lot IS NOT NULL AND ({{used}} OR p.debit & 31 = {A.STORED_VALUE_USED:d}"
        f" OR p.debit & 31 = {A.POINTS_REVERSED:d}) GROUP BY 1, 2"
    ).format(used=used)
    joined = "" if system is None else (
        f" LEFT JOIN ({drawn}) AS l ON l.entry_id = g.txn_id AND l.hotel = g.issuer_hotel"
    )  # fmt: skip
    sql = (
        "SELECT t.txn_id, t.txn_ref, t.original_ref, t.business_date, t.occurred_at, t.posted_at,"
        " t.kind, g.host_hotel, g.host_system, g.issuer_hotel, g.issuer_system, t.late, c.masked,"
        f" g.fee_kind, g.points, g.rulebook, g.base_minor, g.obligation_minor, g.fee_minor, {lots}"
        " FROM legs g JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id"
        f" JOIN hotels h ON h.number = g.host_hotel JOIN cards c ON c.number = t.card{joined}"
        f" WHERE g.period = %s AND {party}"
        ' ORDER BY t.business_date, t.occurred_at, h.code COLLATE "C", t.txn_ref COLLATE "C", g.leg_no'
    )
    for row in session.stream(sql, parameters):
        yield LegLine(*row)


def obligations(session: Session, period: int) -> list[Obligations]:
    """Return the gross obligations by pair and kind as postings between systems have them, by codes, then kind.

    A refund is posted the other way round. Only how many legs there are is asked of the legs: a leg that is worth
    nothing has no posting.
    """
    rows = session.rows(
        "SELECT debtor, creditor, kind, sum(legs)::bigint, sum(amount)::bigint FROM ("
        " SELECT CASE t.kind WHEN 'refund' THEN p.credit ELSE p.debit END >> 5 AS debtor,"
        "  CASE t.kind WHEN 'refund' THEN p.debit ELSE p.credit END >> 5 AS creditor,"
        "  CASE WHEN t.kind = 'redeem' OR (t.kind = 'refund' AND t.amount_minor IS NULL) THEN 'redeem'"
        "  ELSE 'stored_value' END AS kind, 0 AS legs,"
        "  CASE t.kind WHEN 'refund' THEN -p.amount ELSE p.amount END AS amount"
        "  FROM postings p JOIN transactions t ON t.period = p.period AND t.txn_id = p.entry_id"
        f"  WHERE p.period = %s AND p.debit & 31 = {_POSITION} AND p.credit & 31 = {_POSITION}"
        " UNION ALL SELECT issuer_system, host_system, fee_kind, 1, 0 FROM legs"
        "  WHERE period = %s AND host_system <> issuer_system AND fee_kind <> 'spend'"
        ") AS parts JOIN systems d ON d.number = debtor JOIN systems c ON c.number = creditor"
        " GROUP BY debtor, creditor, kind, d.code, c.code HAVING sum(amount) <> 0"
        " ORDER BY d.code, c.code, kind",
        [period, period],
    )
    return [Obligations(*row) for row in rows]


def fees(session: Session, period: int) -> dict[int, int]:
    """Return the fees that transactions of a period were charged, by host system."""
    return _against_fees(session, period, "transactions t ON t.period = p.period AND t.txn_id")


def adjusted(session: Session, period: int) -> dict[int, Adjusted]:
    """Return what the adjustments of a period come to, by system, as their entries have posted it."""
    entries = "entries e ON e.kind = 'adjustment' AND e.period = p.period AND e.entry_id"
    corrected = _against_fees(session, period, entries)
    between: dict[int, int] = dict(
        session.rows(
            "SELECT account >> 5, sum(side.amount)::bigint FROM postings p"
            f" JOIN {entries} = p.entry_id"
            " CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS side (account, amount)"
            f" WHERE p.period = %s AND p.debit & 31 = {_POSITION} AND p.credit & 31 = {_POSITION} GROUP BY 1",
            [period],
        )
    )
    return {
        system: Adjusted(between.get(system, 0), corrected.get(system, 0))
        for system in between.keys() | corrected.keys()
    }


def _against_fees(session: Session, period: int, entries: str) -> dict[int, int]:
    rows = session.rows(
        "SELECT system, sum(amount)::bigint FROM ("
        f" SELECT p.debit >> 5 AS system, p.amount FROM postings p JOIN {entries} = p.entry_id"
        f"  WHERE p.period = %s AND p.debit & 31 = {_POSITION} AND p.credit & 31 = {_FEES}"
        f" UNION ALL SELECT p.credit >> 5, -p.amount FROM postings p JOIN {entries} = p.entry_id"
        f"  WHERE p.period = %s AND p.debit & 31 = {_FEES} AND p.credit & 31 = {_POSITION}"
        ") AS parts GROUP BY 1",
        [period, period],
    )
    return dict(rows)


def nets(session: Session, period: int) -> dict[int, dict[int, int]]:
    """Return the net of every system over every period up to this one: what its account moved but for movements."""
    found: dict[int, dict[int, int]] = {}
    for system, month, amount in session.rows(
        "SELECT account >> 5, period, sum(amount)::bigint FROM ("
        f" SELECT period, entry_id, debit AS account, -amount AS amount FROM postings WHERE debit & 31 = {_POSITION}"
        f" UNION ALL SELECT period, entry_id, credit, amount FROM postings WHERE credit & 31 = {_POSITION}"
        ") AS sides WHERE period <= %s AND NOT EXISTS (SELECT FROM entries e WHERE e.period = sides.period"
        " AND e.entry_id = sides.entry_id AND e.kind = ANY (%s)) GROUP BY 1, 2",
        [period, list(MOVEMENT_KINDS)],
    ):
        found.setdefault(system, {})[month] = amount
    return found


def balances_before(session: Session, period: int) -> dict[int, int]:
    """Return what every system's account with the clearing house stood at before a period."""
    rows = session.rows(
        "SELECT account >> 5, sum(amount)::bigint FROM ("
        f" SELECT debit AS account, -amount AS amount FROM postings WHERE period < %s AND debit & 31 = {_POSITION}"
        f" UNION ALL SELECT credit, amount FROM postings WHERE period < %s AND credit & 31 = {_POSITION}"
        ") AS sides GROUP BY 1",
        [period, period],
    )
    return dict(rows)


def vat(session: Session, period: int) -> int:
    """Return the VAT that was posted for a period."""
    row = session.row(
        f"SELECT coalesce(sum(CASE WHEN credit & 31 = {A.VAT:d} THEN amount ELSE -amount END), 0)::bigint FROM postings"
        f" WHERE period = %s AND (credit & 31 = {A.VAT:d} OR debit & 31 = {A.VAT:d})",
        [period],
    )
    return int(row[0]) if row else 0


def liability(session: Session, period: int) -> list[Liability]:
    """Return the points liability of every hotel that has or had any, by code, as postings have it."""

    def moved(kind: A, sign: int, periods: str) -> str:
        return (
            f"coalesce(sum({sign} * amount) FILTER (WHERE kind = {kind:d} AND period {periods} {int(period)}),"
            " 0)::bigint"
        )

    rows = session.rows(
        "SELECT hotel, opening, issued, redeemed, expired, reversed,"
        " opening + issued - redeemed - expired + reversed, debts FROM ("
        f" SELECT hotel, h.code, -coalesce(sum(amount) FILTER (WHERE kind <> {A.POINTS_DEBTS:d}"
        f"  AND period < {int(period)}), 0)::bigint AS opening, {moved(A.POINTS_ISSUED, -1, '=')} AS issued,"
        f"  {moved(A.POINTS_REDEEMED, 1, '=')} AS redeemed, {moved(A.POINTS_EXPIRED, 1, '=')} AS expired,"
        f"  {moved(A.POINTS_REVERSED, -1, '=')} AS reversed, {moved(A.POINTS_DEBTS, 1, '<=')} AS debts"
        "  FROM (SELECT period, account >> 5 AS hotel, account & 31 AS kind, sum(amount) AS amount FROM ("
        "   SELECT period, debit AS account, -amount AS amount FROM postings UNION ALL"
        "   SELECT period, credit, amount FROM postings) AS sides WHERE period <= %s"
        f"   AND account & 31 BETWEEN {A.POINTS_ISSUED:d} AND {A.POINTS_DEBTS:d} GROUP BY 1, 2, 3) AS moves"
        "  JOIN hotels h ON h.number = hotel GROUP BY hotel, h.code"
        ") AS hotels WHERE (opening, issued, redeemed, expired, reversed, debts) <> (0, 0, 0, 0, 0, 0) ORDER BY code",
        [period],
    )
    return [Liability(*row) for row in rows]
