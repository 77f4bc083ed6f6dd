"""Writing what a sequence of transactions has decided: one round trip for everything that is added."""

from __future__ import annotations

from datetime import datetime

from clearinghouse.domain.books import Books
from clearinghouse.domain.netting import Increments, increments
from clearinghouse.store.bulk import Batch, arrays, table
from clearinghouse.store.database import Session
from clearinghouse.store.holds import write_holds

REFERENCES = table("transaction_refs", "host_hotel int, txn_ref text, content bytea, txn_id uuid")
TRANSACTIONS = table(
    "transactions",
    "period int, txn_id uuid, host_hotel int, host_system int, txn_ref text, original_ref text, kind text, card bigint,"
    " traveller bigint, business_date date, occurred_at timestamptz, posted_at timestamptz, amount_minor bigint,"
    " points bigint, earn_ppm bigint, rulebook int, late boolean, lot bigint, original uuid",
)
LEGS = table(
    "legs",
    "period int, txn_id uuid, leg_no int, fee_kind text, host_hotel int, host_system int,"
    " issuer_hotel int, issuer_system int, rulebook int, points bigint, base_minor bigint,"
    " obligation_minor bigint, fee_minor bigint, reverses_txn uuid, reverses_leg int",
)
POSTINGS = table(
    "postings",
    "period int, entry_id uuid, seq int, debit bigint, credit bigint, asset smallint,"
    " amount bigint, lot bigint",
)
LOTS = table(
    "lots",
    "number bigint, traveller bigint, issuer_hotel int, asset smallint, txn_id uuid, period int,"
    " issued bigint, remaining bigint, held bigint, expired bigint, gone bigint, forgiven bigint,"
    " usable_from date, expires_on date, restored_from bigint",
)
DEBTS = table(
    "debts",
    "number bigint, traveller bigint, issuer_hotel int, lot bigint, period int, owed bigint,"
    " remaining bigint, posted bigint, ends_on date",
)
INCREMENTS = table(
    "rollup_increments",
    "period int, measure smallint, debtor int, creditor int, count bigint, amount bigint",
)


_UPDATE_LOTS = (
    "UPDATE lots SET remaining = n.remaining, held = n.held, expired = n.expired,"
    " gone = n.gone, forgiven = n.forgiven"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::bigint[]) AS n (number, remaining, held, expired, gone, forgiven)"
    " WHERE lots.number = n.number"
)


def write_books(
    session: Session, books: Books, posted_at: datetime, batch: Batch | None = None
) -> None:
    """Write all that was accepted and changed, with what is in the batch; the caller's transaction commits it."""
    batch = batch or Batch()
    if books.accepted:
        _add(batch, books, posted_at)
    _update_lots_and_debts(session, books, batch)
    write_holds(session, books)


def _add(batch: Batch, books: Books, posted_at: datetime) -> None:
    accepted = books.accepted
    # An id stands in several tables: written out once, it is a text that is quickly joined.
    keyed = [(txn, f"{txn.txn_id.int:032x}") for txn in accepted]
    # References first: of two sequences that post the same one, the second waits here and then fails whole.
    batch.insert(REFERENCES, [(t.host_hotel, t.txn_ref, t.content, key) for t, key in keyed])
    moment = posted_at.isoformat()
    batch.insert(
        TRANSACTIONS,
        [
            (
                t.period, key, t.host_hotel, t.host_system, t.txn_ref, t.original_ref, t.kind.value, t.card,
                t.traveller, t.business_date, t.occurred_at, moment, t.amount_minor, t.points,
                t.earn_ppm, t.rulebook, t.late, t.lot, t.original,
            )
            for t, key in keyed
        ],
    )  # fmt: skip
    batch.insert(
        LEGS,
        [
            (
                t.period, key, leg.leg_no, leg.fee_kind, t.host_hotel, leg.host_system,
                leg.issuer_hotel, leg.issuer_system, leg.rulebook, leg.points, leg.base_minor,
                leg.obligation_minor, leg.fee_minor, *(leg.reverses or (None, None)),
            )
            for t, key in keyed
            for leg in t.legs
        ],
    )  # fmt: skip
    batch.insert(
        POSTINGS,
        [
            (t.period, key, seq, p.debit, p.credit, p.asset, p.amount, p.lot)
            for t, key in keyed
            for seq, p in enumerate(t.postings, start=1)
        ],
    )
    _add_lots_and_debts(batch, books)
    insert_increments(batch, increments(accepted))


def insert_increments(batch: Batch, sums: Increments) -> None:
    """Add increments of the roll-ups to a batch."""
    batch.insert(INCREMENTS, [(*key, *value) for key, value in sums.items()])


def _add_lots_and_debts(batch: Batch, books: Books) -> None:
    batch.insert(
        LOTS,
        [
            (
                lot.number, lot.traveller, lot.issuer_hotel, lot.asset, lot.txn_id, lot.period,
                lot.issued, lot.remaining, lot.held, lot.expired, lot.gone, lot.forgiven,
                lot.usable_from, lot.expires_on, lot.restored_from,
            )
            for lot in books.new_lots
        ],
    )  # fmt: skip
    batch.insert(
        DEBTS,
        [
            (
                d.number,
                d.traveller,
                d.issuer_hotel,
                d.lot,
                d.period,
                d.owed,
                d.remaining,
                d.posted,
                d.ends_on,
            )
            for d in books.new_debts
        ],
    )


def _update_lots_and_debts(session: Session, books: Books, batch: Batch) -> None:
    """Write the batch, and in the same round trip what has changed of lots."""
    new = {lot.number for lot in books.new_lots}
    lots = [lot for number, lot in sorted(books.touched_lots.items()) if number not in new]
    if lots:
        columns = arrays(
            [
                (lot.number, lot.remaining, lot.held, lot.expired, lot.gone, lot.forgiven)
                for lot in lots
            ]
        )
        batch.add(_UPDATE_LOTS, columns)
    written = batch.write(session)
    if lots:
        _all_written(written, len(lots), "lots")
    created = {debt.number for debt in books.new_debts}
    debts = [debt for number, debt in sorted(books.touched_debts.items()) if number not in created]
    if debts:
        written = session.run(
            "UPDATE debts SET remaining = n.remaining, posted = n.posted"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS n (number, remaining, posted)"
            " WHERE debts.number = n.number",
            arrays([(debt.number, debt.remaining, debt.posted) for debt in debts]),
        )
        _all_written(written, len(debts), "debts")


def _all_written(written: int, wanted: int, what: str) -> None:
    """Postings have no row-by-row foreign key to lots; this is the check on the whole set instead."""
    if written != wanted:
        raise RuntimeError(f"{wanted - written} {what} of this sequence are not in the books")
