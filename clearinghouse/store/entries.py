"""Entries of the journal that are no transactions: expiry, VAT, money, corrections (domain.md §4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clearinghouse.domain.entries import Entry
from clearinghouse.domain.netting import Increments, add_points, add_postings
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session
from clearinghouse.store.ledger import POSTINGS, insert_increments

_ENTRIES = table(
    "entries",
    "period int, entry_id uuid, kind text, business_date date, reference text, posted_at timestamptz",
)


def write_entries(session: Session, entries: Iterable[Entry], posted_at: datetime) -> None:
    """Write journal entries with their postings, and what these add to the roll-ups, in one round trip.

    Those in which nothing is posted are left out.
    """
    written = [entry for entry in entries if entry.postings]
    sums: Increments = {}
    for entry in written:
        balances: dict[int, tuple[int, int]] = {}
        add_postings(balances, entry.postings)
        add_points(sums, entry.period, balances)
    at = posted_at.isoformat()
    batch = Batch()
    batch.insert(
        _ENTRIES,
        [(e.period, e.entry_id, e.kind, e.business_date, e.reference, at) for e in written],
    )
    batch.insert(
        POSTINGS,
        [
            (e.period, e.entry_id, seq, p.debit, p.credit, p.asset, p.amount, p.lot)
            for e in written
            for seq, p in enumerate(e.postings, start=1)
        ],
    )
    insert_increments(batch, sums)
    batch.write(session)


def is_used(session: Session, kind: str, reference: str, account: int) -> bool:
    """Tell whether an entry of money of a kind was posted on an account under a reference, however that is written."""
    # Said twice, so that the index of the few entries of money is used whatever kind is asked for.
    row = session.row(
        "SELECT FROM entries e JOIN postings p ON p.period = e.period AND p.entry_id = e.entry_id"
        " WHERE e.kind = %s AND e.kind NOT IN ('expiry', 'vat')"
        " AND plain_name(e.reference) = plain_name(%s)"
        " AND %s IN (p.debit, p.credit) LIMIT 1",
        [kind, reference, account],
    )
    return row is not None
