"""The journal as a plain-text ledger needs it: accounts, balances and postings, streamed in one total order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.calendar import first_day
from clearinghouse.store.database import Session

#: Accounts of travellers come last, by the traveller's number: there may be more of them than fit in memory.
_OF_TRAVELLER = f"account & 31 < {AccountKind.POINTS_ISSUED.value}"
#: Both sides of every posting, a debit positive.
_SIDES = (
    "SELECT period, debit AS account, asset, amount FROM postings WHERE period {periods}"
    " UNION ALL SELECT period, credit, asset, -amount FROM postings WHERE period {periods}"
)


class Balance(NamedTuple):
    """What an account holds, debits minus credits, in points or fen."""

    account: int
    asset: int
    amount: int


class JournalLine(NamedTuple):
    """One posting with its entry; ``day`` is the day inside the period that it is dated.

    ``host_hotel`` is ``None`` for an entry that is no transaction of a hotel; its ``txn_ref`` is a reference, if any.
    """

    day: date
    business_date: date
    entry_id: UUID
    kind: str
    host_hotel: int | None
    txn_ref: str | None
    original_ref: str | None
    debit: int
    credit: int
    asset: int
    amount: int
    lot: int | None


def accounts(session: Session, period: int) -> Iterator[int]:
    """Yield every account that has moved by the end of a period; those of travellers last, by number."""
    sql = (
        "SELECT account FROM (SELECT debit AS account FROM postings WHERE period <= %s"
        f" UNION SELECT credit FROM postings WHERE period <= %s) AS moved ORDER BY {_OF_TRAVELLER}, 1"
    )
    for row in session.stream(sql, [period, period]):
        yield row[0]


def opening_balances(session: Session, period: int) -> Iterator[Balance]:
    """Yield what all earlier periods have left on their accounts, zeros left out."""
    sql = (
        f"SELECT account, asset, sum(amount)::bigint FROM ({_SIDES.format(periods='< %s')}) AS sides"
        f" GROUP BY 1, 2 HAVING sum(amount) <> 0 ORDER BY {_OF_TRAVELLER}, 1"
    )
    for row in session.stream(sql, [period, period]):
        yield Balance(*row)


def closing_balances(session: Session, period: int) -> Iterator[Balance]:
    """Yield what the accounts that moved in a period hold at its end, zeros too."""
    sql = (
        f"SELECT account, asset, sum(amount)::bigint FROM ({_SIDES.format(periods='<= %s')}) AS sides"
        f" GROUP BY 1, 2 HAVING max(period) = %s ORDER BY {_OF_TRAVELLER}, 1"
    )
    for row in session.stream(sql, [period, period, period]):
        yield Balance(*row)


def hosts(session: Session, period: int) -> list[int]:
    """Return the hotels that hosted transactions of a period."""
    rows = session.rows("SELECT DISTINCT host_hotel FROM transactions WHERE period = %s", [period])
    return [row[0] for row in rows]


def journal_lines(session: Session, period: int) -> Iterator[JournalLine]:
    """Yield all postings of a period by day, then entry in the order of posting, then number.

    A late line has a business date before the period; it is dated the period's first day.
    """
    sql = (
        "SELECT greatest(coalesce(t.business_date, e.business_date), %s) AS day,"
        " coalesce(t.business_date, e.business_date), p.entry_id, coalesce(t.kind, e.kind),"
        " t.host_hotel, coalesce(t.txn_ref, e.reference), t.original_ref, p.debit, p.credit, p.asset, p.amount, p.lot"
        " FROM postings p"
        " LEFT JOIN transactions t ON t.period = p.period AND t.txn_id = p.entry_id"
        " LEFT JOIN entries e ON e.period = p.period AND e.entry_id = p.entry_id"
        " WHERE p.period = %s ORDER BY day, p.entry_id, p.seq"
    )
    for row in session.stream(sql, [first_day(period), period]):
        yield JournalLine(*row)
