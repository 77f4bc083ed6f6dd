"""The legs of a closed period as statement lines need them: joined, in one total order, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.store.database import Session

_KIND, _OWNER = "& 31", ">> 5"
_USED = f"({AccountKind.POINTS_REDEEMED}, {AccountKind.STORED_VALUE_USED})"
_RETURNED = f"({AccountKind.POINTS_REVERSED}, {AccountKind.STORED_VALUE_USED})"
_RECEIVED = (
    f"({AccountKind.TRAVELLER_POINTS}, {AccountKind.TRAVELLER_STORED_VALUE},"
    f" {AccountKind.POINTS_EXPIRED})"
)
#: Lots that a leg drew on (or, negative, gave back to), in the order of the postings.
_LOTS = (
    "(SELECT string_agg('lot_' || p.lot || ':' || CASE WHEN p.credit & 31 IN " + _USED + ""
    " THEN p.amount ELSE -p.amount END, ';' ORDER BY p.seq)"
    " FROM postings p WHERE p.period = g.period AND p.entry_id = g.txn_id AND p.lot IS NOT NULL"
    f" AND ((p.credit {_KIND} IN {_USED} AND p.credit {_OWNER} = g.issuer_hotel)"
    f" OR (p.debit {_KIND} IN {_RETURNED} AND p.debit {_OWNER} = g.issuer_hotel"
    f" AND p.credit {_KIND} IN {_RECEIVED})))"
)


class LegLine(NamedTuple):
    """One leg with its transaction; systems, hotels and rulebooks by number; ``lots`` only where asked for."""

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


class ActivitySum(NamedTuple):
    """Legs that a system hosted, of one kind, across systems or inside its own."""

    system: int
    fee_kind: str
    cross: bool
    legs: int
    base_minor: int
    fee_minor: int


def leg_lines(session: Session, period: int, system: int | None) -> Iterator[LegLine]:
    """Yield the legs of a period that a system is a party to, or all of them, in the order of a statement.

    A cash leg is the host's alone: it carries no obligation, and what a traveller spends at another system is not
    the card issuer's business (domain.md §1 principle 3).
    """
    party = "true"
    parameters: list[object] = [period]
    lots = "NULL"
    if system is not None:
        party = "(g.host_system = %s OR (g.issuer_system = %s AND g.fee_kind <> 'spend'))"
        lots = f"CASE WHEN g.issuer_system = %s AND g.fee_kind <> 'spend' THEN {_LOTS} END"
        parameters = [system, period, system, system]
    sql = (
        "SELECT t.txn_id, t.txn_ref, t.original_ref, t.business_date, t.occurred_at, t.posted_at,"
        " t.kind, g.host_hotel, g.host_system, g.issuer_hotel, g.issuer_system, t.late, c.masked,"
        f" g.fee_kind, g.points, g.rulebook, g.base_minor, g.obligation_minor, g.fee_minor, {lots}"
        " FROM legs g JOIN transactions t ON t.period = g.period AND t.txn_id = g.txn_id"
        " JOIN hotels h ON h.number = g.host_hotel JOIN cards c ON c.number = t.card"
        f" WHERE g.period = %s AND {party}"
        ' ORDER BY t.business_date, t.occurred_at, h.code COLLATE "C", t.txn_ref COLLATE "C", g.leg_no'
    )
    for row in session.stream(sql, parameters):
        yield LegLine(*row)


def activity(session: Session, period: int) -> list[ActivitySum]:
    """Return what every system hosted in a period, by kind and by own system or across."""
    return [
        ActivitySum(*row)
        for row in session.rows(
            "SELECT host_system, fee_kind, host_system <> issuer_system, count(*), sum(base_minor)::bigint,"
            " sum(fee_minor)::bigint FROM legs WHERE period = %s GROUP BY 1, 2, 3",
            [period],
        )
    ]


def line_counts(session: Session, period: int) -> dict[int, int]:
    """Return how many lines each system's statement has."""
    rows = session.rows(
        "SELECT party, count(*) FROM ("
        " SELECT host_system AS party FROM legs WHERE period = %s"
        " UNION ALL SELECT issuer_system FROM legs"
        " WHERE period = %s AND issuer_system <> host_system AND fee_kind <> 'spend'"
        ") AS parties GROUP BY 1",
        [period, period],
    )
    return dict(rows)


def rulebooks_used(session: Session, period: int) -> list[int]:
    """Return the rulebook versions that judged legs of a period."""
    return [
        row[0]
        for row in session.rows("SELECT DISTINCT rulebook FROM legs WHERE period = %s", [period])
    ]
