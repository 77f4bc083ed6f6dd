"""A traveller's pool as it stood at the end of an earlier business date, replayed from the journal.

Only transactions up to that date count, by business date and not by the moment they came in. An expiry or the
end of a debt that a closing has posted since is not replayed: whether a lot had expired or a debt had ended
is told by its own day (domain.md §3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, account, kind_of, owner_of
from clearinghouse.domain.books import Posting
from clearinghouse.domain.pools import Debt, Lot, Pool, repay


@dataclass(frozen=True, slots=True)
class PostedTxn:
    """A transaction of the traveller as the journal has it; ``lot`` is the one that it issued."""

    txn_id: UUID
    business_date: date
    lot: int | None
    original: UUID | None
    postings: list[Posting] = field(default_factory=list)


def acceptance(txn_id: UUID) -> tuple[int, int]:
    """Return what puts the transactions of one traveller into the order in which they were accepted.

    Ids count up, but within a millisecond they tell their period first (``identifiers.transaction_id``).
    """
    return txn_id.int >> 80, txn_id.int & (1 << 62) - 1


def pool_as_of(traveller: int, lots: Iterable[Lot], txns: Iterable[PostedTxn]) -> Pool:
    """Rebuild a pool from the transactions up to a date.

    ``lots`` are all that the traveller ever had, as they are now; those not yet issued then are left out. A
    late line may have drawn on what came back to its lot only after that date; such a lot counts as empty.
    """
    pool = Pool(traveller)
    known = {lot.number: lot for lot in lots}
    txns = sorted(txns, key=lambda txn: acceptance(txn.txn_id))
    for number, remaining in _remaining(traveller, txns).items():
        lot = known[number]
        lot.remaining, lot.held = max(remaining, 0), 0
        pool.lots[number] = lot
    pool.debts.extend(_debts(traveller, known, txns))
    return pool


def _remaining(traveller: int, txns: Iterable[PostedTxn]) -> dict[int, int]:
    """Add up what each lot of the traveller has received and given."""
    own = {
        account(kind, traveller)
        for kind in (AccountKind.TRAVELLER_POINTS, AccountKind.TRAVELLER_STORED_VALUE)
    }
    sums: dict[int, int] = {}
    for txn in txns:
        for posting in txn.postings:
            if posting.lot is not None and (posting.credit in own or posting.debit in own):
                change = posting.amount if posting.credit in own else -posting.amount
                sums[posting.lot] = sums.get(posting.lot, 0) + change
    return sums


def _debts(traveller: int, lots: Mapping[int, Lot], txns: list[PostedTxn]) -> list[Debt]:
    """Let debts arise and be repaid as they were: oldest first, and only while they were live.

    Two passes do for one: a repayment never exceeded the debts there were, and those come first.
    """
    debtor = account(AccountKind.TRAVELLER_DEBT, traveller)
    by_id = {txn.txn_id: txn for txn in txns}
    debts: list[Debt] = []
    for txn in txns:
        original = by_id.get(txn.original) if txn.original is not None else None
        lot = lots.get(original.lot) if original is not None and original.lot is not None else None
        if lot is None or lot.expires_on is None:
            continue
        debts.extend(
            Debt(
                number=len(debts) + 1,
                traveller=traveller,
                issuer_hotel=owner_of(posting.credit),
                lot=lot.number,
                period=0,
                owed=posting.amount,
                ends_on=lot.expires_on,
            )
            for posting in txn.postings
            if posting.debit == debtor
        )
    for txn in txns:
        for posting in txn.postings:
            if posting.credit == debtor and kind_of(posting.debit) is AccountKind.POINTS_DEBTS:
                issuer = owner_of(posting.debit)
                for debt, part in repay(debts, issuer, txn.business_date, posting.amount):
                    debt.remaining -= part
    return debts
