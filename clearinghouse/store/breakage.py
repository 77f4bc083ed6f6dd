"""Breakage: what nobody holds of points that are over, and debts that end, posted by set (domain.md §3 "Expiry").

Who finds what is over names it by number; when that is depends only on what never changes of a lot or debt. How much of
it ends is known when its traveller is locked: of a lot what nobody holds, of a debt what stands in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from clearinghouse.domain.accounts import AccountKind, Asset
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.netting import Measure
from clearinghouse.store.database import Session

#: Lots and debts that end in one transaction: so few that who waits for one of their travellers hardly notices.
_EACH = 300
#: Parts that are read ahead.
_AHEAD = 20

# Travellers first, in the order of their numbers, as everybody locks them; only then is read what is left to end. A row
# stays where it is while its traveller is locked; one that did not would be neither changed nor posted.
_LOCK = "SELECT FROM travellers WHERE number = ANY (%s::bigint[]) ORDER BY number FOR NO KEY UPDATE"
_END = f"""
WITH entry (period, entry_id, kind, business_date, posted_at) AS (
    SELECT %s::int, %s::uuid, %s::text, %s::date, %s::timestamptz
),
lots_over AS MATERIALIZED (
    SELECT ctid, remaining - held AS amount FROM lots WHERE number = ANY (%s::bigint[]) AND remaining > held
),
lots_ended AS (
    UPDATE lots SET remaining = remaining - amount, expired = expired + amount
    FROM lots_over WHERE lots.ctid = lots_over.ctid
    RETURNING number, amount, issuer_hotel AS hotel, number AS lot,
        traveller << 5 | {AccountKind.TRAVELLER_POINTS:d} AS debit,
        issuer_hotel::bigint << 5 | {AccountKind.POINTS_EXPIRED:d} AS credit
),
debts_over AS MATERIALIZED (
    SELECT ctid, posted AS amount FROM debts WHERE number = ANY (%s::bigint[]) AND posted > 0
),
debts_ended AS (
    UPDATE debts SET posted = 0 FROM debts_over WHERE debts.ctid = debts_over.ctid
    RETURNING number, amount, issuer_hotel AS hotel, NULL::bigint AS lot,
        issuer_hotel::bigint << 5 | {AccountKind.POINTS_DEBTS:d} AS debit,
        traveller << 5 | {AccountKind.TRAVELLER_DEBT:d} AS credit
),
ended AS (SELECT * FROM lots_ended UNION ALL SELECT * FROM debts_ended),
entered AS (
    INSERT INTO entries (period, entry_id, kind, business_date, posted_at)
    SELECT * FROM entry WHERE EXISTS (SELECT FROM ended)
),
posted AS (
    INSERT INTO postings (period, entry_id, seq, debit, credit, asset, amount, lot)
    SELECT period, entry_id, row_number() OVER (ORDER BY lot, number), debit, credit, {Asset.POINT:d}, amount, lot
    FROM ended, entry
),
counted AS (
    INSERT INTO rollup_increments (period, measure, debtor, creditor, count, amount)
    SELECT period, {Measure.POINTS_EXPIRED:d}, hotel, 0, count(*), sum(amount) FROM lots_ended, entry GROUP BY 1, 3
    UNION ALL SELECT period, {Measure.POINTS_DEBTS:d}, hotel, 0, count(*), -sum(amount) FROM debts_ended, entry
    GROUP BY 1, 3
)
SELECT coalesce(sum(amount), 0)::bigint FROM ended
"""


class Ending(NamedTuple):
    """What ends in one transaction, and whose it is: numbers, as the server writes arrays."""

    travellers: str
    lots: str
    debts: str


def parts(session: Session, over: str, parameters: Sequence[object]) -> Iterator[Ending]:
    """Yield what ``over`` finds in parts, by traveller: it yields (traveller, lot, debt), one of the two being NULL.

    The tables are looked through once, not for each part again.
    """
    for row in session.stream(
        "SELECT array_agg(traveller)::text,"
        " coalesce(array_agg(lot) FILTER (WHERE lot IS NOT NULL), '{}')::text,"
        " coalesce(array_agg(debt) FILTER (WHERE debt IS NOT NULL), '{}')::text FROM ("
        f" SELECT *, (row_number() OVER (ORDER BY traveller, lot, debt) - 1) / {_EACH} AS part"
        f" FROM ({over}) AS over (traveller, lot, debt)) AS in_order GROUP BY part ORDER BY part",
        parameters,
        _AHEAD,
    ):
        yield Ending(*row)


def together(parts: Sequence[Ending]) -> Ending:
    """Return parts that follow each other as one."""
    return Ending(
        *(
            "{" + ",".join(filter(None, (each[1:-1] for each in column))) + "}"
            for column in zip(*parts, strict=True)
        )
    )


def end(session: Session, entry: Entry, ending: Ending, posted_at: datetime) -> int:
    """Lock travellers and end what is there yet of their lots and debts, in one entry; return how many points it was.

    Where nothing is there nothing is posted, not even the entry. ``entry`` has no postings of its own. A crash of the
    server may take the last parts back, whole, since nobody waits for them to be flushed: they are found again.
    """
    lock, write = session.prepared(_LOCK), session.prepared(_END)
    row = session.row(
        f"SET LOCAL synchronous_commit = off; {lock}; {write}",
        [
            ending.travellers,
            *(entry.period, entry.entry_id, entry.kind, entry.business_date, posted_at),
            *(ending.lots, ending.debts),
        ],
    )
    return int(row[0]) if row else 0
