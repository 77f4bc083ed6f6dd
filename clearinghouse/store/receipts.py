"""Reading transactions back with all that a receipt shows of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.books import Posting, Txn
from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.domain.pools import Lot
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.loading import (
    LOT_COLUMNS,
    TXN_COLUMNS,
    lot_from_row,
    transaction_from_row,
)


class Wanted(NamedTuple):
    """Which of a system's transactions are asked for; ``None`` asks for no particular one."""

    host_hotel: str | None = None
    kind: str | None = None
    txn_ref: str | None = None
    business_date: date | None = None


class Recorded(NamedTuple):
    """A transaction as it stands in the books; ``lots`` are as they are now."""

    txn: Txn
    postings: list[Posting]
    legs: list[Leg]
    lots: list[Lot]
    posted_at: datetime


def newest(
    session: Session,
    wanted: Wanted,
    hotels: Collection[int] | None,
    before: UUID | None,
    limit: int,
) -> list[UUID]:
    """Return ids of transactions that this transaction may see, of some hotels or all, the newest first."""
    rows = session.rows(
        "SELECT txn_id FROM transactions WHERE (%s::uuid IS NULL OR txn_id < %s)"
        " AND (%s::int[] IS NULL OR host_hotel = ANY (%s::int[])) AND (%s::text IS NULL OR kind = %s)"
        " AND (%s::text IS NULL OR txn_ref = %s) AND (%s::date IS NULL OR business_date = %s)"
        " ORDER BY txn_id DESC LIMIT %s",
        [
            before, before,
            *(2 * [None if hotels is None else array(hotels)]),
            wanted.kind, wanted.kind, wanted.txn_ref, wanted.txn_ref,
            wanted.business_date, wanted.business_date, limit,
        ],
    )  # fmt: skip
    return [row[0] for row in rows]


def host_of(session: Session, txn_id: UUID) -> int | None:
    """Return the host of a transaction; ``None`` if this transaction may not see it."""
    row = session.row(
        "SELECT host_hotel FROM transactions WHERE period = %s AND txn_id = %s",
        [period_of_id(txn_id), txn_id],
    )
    return None if row is None else int(row[0])


def recorded(session: Session, wanted: Sequence[UUID]) -> dict[UUID, Recorded]:
    """Return transactions with their postings and legs, and the lots that these moved."""
    periods, ids = array({period_of_id(txn_id) for txn_id in wanted}), array(wanted)
    found: dict[UUID, Recorded] = {}
    for *row, original_ref, posted_at in session.rows(
        f"SELECT {TXN_COLUMNS}, original_ref, posted_at FROM transactions"
        " WHERE period = ANY (%s::int[]) AND txn_id = ANY (%s::uuid[])",
        [periods, ids],
    ):
        txn = transaction_from_row(tuple(row))
        txn.original_ref = original_ref
        found[txn.txn_id] = Recorded(txn, [], [], [], posted_at)
    for txn_id, debit, credit, asset, amount, lot in session.rows(
        "SELECT entry_id, debit, credit, asset, amount, lot FROM postings"
        " WHERE period = ANY (%s::int[]) AND entry_id = ANY (%s::uuid[]) ORDER BY entry_id, seq",
        [periods, ids],
    ):
        found[txn_id].postings.append(Posting(debit, credit, Asset(asset), amount, lot))
    for txn_id, *leg in session.rows(
        "SELECT txn_id, leg_no, fee_kind, issuer_hotel, issuer_system, host_system, rulebook,"
        " points, base_minor, obligation_minor, fee_minor FROM legs"
        " WHERE period = ANY (%s::int[]) AND txn_id = ANY (%s::uuid[]) ORDER BY txn_id, leg_no",
        [periods, ids],
    ):
        found[txn_id].legs.append(Leg(*leg))
    moved = {p.lot for each in found.values() for p in each.postings if p.lot is not None}
    lots = {
        row[0]: lot_from_row(row)
        for row in session.rows(
            f"SELECT {LOT_COLUMNS} FROM lots WHERE number = ANY (%s::bigint[])", [array(moved)]
        )
    }
    for each in found.values():
        each.lots.extend(lots[lot] for lot in {p.lot for p in each.postings if p.lot is not None})
    return found
