"""Movements on systems' accounts as the journal has them (domain.md §4)."""

from __future__ import annotations

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.movements import MOVEMENT_KINDS, Movement
from clearinghouse.store.database import Session

_POSITION = AccountKind.POSITION.value
#: Every side of a movement that stands on a system's account; a credit is above 0.
_SIDES = (
    "SELECT e.period, e.entry_id, e.kind, e.business_date, e.reference, side.account >> 5 AS system,"
    " sum(side.amount)::bigint AS amount"
    " FROM entries e JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
    " CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS side (account, amount)"
    f" WHERE e.kind = ANY (%s) AND side.account & 31 = {_POSITION} AND e.period {{periods}} %s"
    " GROUP BY 1, 2, 3, 4, 5, 6"
)


def movements_of(session: Session, period: int) -> dict[int, list[Movement]]:
    """Return the movements of a period by system, each system's by booking date, then in the order of posting."""
    found: dict[int, list[Movement]] = {}
    for kind, amount, day, reference, entry_id, system in session.rows(
        "SELECT kind, amount, business_date, reference, entry_id, system"
        f" FROM ({_SIDES.format(periods='=')}) AS sides ORDER BY system, business_date, entry_id",
        [list(MOVEMENT_KINDS), period],
    ):
        found.setdefault(system, []).append(Movement(kind, amount, day, reference, entry_id))
    return found


def movements_before(session: Session, period: int) -> dict[int, int]:
    """Return the sum of all movements of earlier periods by system, in fen, a credit above 0.

    With :func:`~clearinghouse.store.frozen.net_before` it is the balance that a period opens with.
    """
    rows = session.rows(
        f"SELECT system, sum(amount)::bigint FROM ({_SIDES.format(periods='<')}) AS sides GROUP BY 1",
        [list(MOVEMENT_KINDS), period],
    )
    return dict(rows)
