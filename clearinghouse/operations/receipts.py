"""Receipts: what a host is told of its transaction, with all that explains it (interfaces.md "HTTP").

A receipt reads the same whether the transaction was decided a moment ago or is read from the books years later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Books, Posting, Txn
from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.pools import Lot
from clearinghouse.domain.rulebook import FeeRule
from clearinghouse.domain.transactions import Kind
from clearinghouse.store.receipts import Recorded


class LotMoved(NamedTuple):
    """What a transaction added to (+) or took from (−) one lot of the traveller, in points or fen."""

    lot: int
    issuer_hotel: str
    issuer_system: str | None
    asset: Asset
    amount: int
    expires_on: date | None


class LegTold(NamedTuple):
    """One leg in codes: the two systems compared, the rule that was applied, and what it came to, in fen."""

    leg_no: int
    fee_kind: str
    issuer_hotel: str
    issuer_system: str
    host_system: str
    is_cross_system: bool
    reason: str
    rulebook_version: str
    fee_rule: FeeRule
    points: int | None
    base_minor: int
    obligation_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction as its host may know it."""

    txn_id: UUID
    kind: Kind
    host_hotel: str
    host_system: str
    txn_ref: str
    original: UUID | None
    original_ref: str | None
    card: int
    business_date: date
    occurred_at: datetime
    posted_at: datetime
    period: int
    late: bool
    amount_minor: int | None
    points: int | None
    earn_ppm: int | None
    rulebook_version: str
    lots: tuple[LotMoved, ...]
    legs: tuple[LegTold, ...]

    @property
    def fee_minor(self) -> int:
        """All fees of the transaction, in fen; the host pays them."""
        return sum(leg.fee_minor for leg in self.legs)


def receipt_of(txn: Txn, books: Books, directory: Directory, posted_at: datetime) -> Receipt:
    """Make the receipt of a transaction that was just decided."""
    lots = list(books.pool(txn.traveller).lots.values())
    return receipt_from(Recorded(txn, txn.postings, txn.legs, lots, posted_at), directory)


def receipt_from(recorded: Recorded, directory: Directory) -> Receipt:
    """Make the receipt of a transaction that stands in the books."""
    txn, postings, legs, lots, posted_at = recorded
    return Receipt(
        txn_id=txn.txn_id,
        kind=txn.kind,
        host_hotel=directory.hotels[txn.host_hotel].code,
        host_system=directory.systems[txn.host_system].code,
        txn_ref=txn.txn_ref,
        original=txn.original,
        original_ref=txn.original_ref,
        card=txn.card,
        business_date=txn.business_date,
        occurred_at=txn.occurred_at,
        posted_at=posted_at,
        period=txn.period,
        late=txn.late,
        amount_minor=txn.amount_minor,
        points=txn.points,
        earn_ppm=txn.earn_ppm,
        rulebook_version=directory.rulebook_by_number[txn.rulebook].rulebook.version,
        lots=tuple(_moved(txn, postings, lots, directory)),
        legs=tuple(_told(leg, directory) for leg in legs),
    )


def _moved(
    txn: Txn, postings: Iterable[Posting], lots: Iterable[Lot], directory: Directory
) -> Iterable[LotMoved]:
    """Add up what the postings did to each lot of the traveller, in the order in which they did it."""
    holder = {
        account(AccountKind.TRAVELLER_POINTS, txn.traveller),
        account(AccountKind.TRAVELLER_STORED_VALUE, txn.traveller),
    }
    sums: dict[int, int] = {}
    for posting in postings:
        if posting.lot is not None:
            change = posting.amount * ((posting.credit in holder) - (posting.debit in holder))
            sums[posting.lot] = sums.get(posting.lot, 0) + change
    by_number = {lot.number: lot for lot in lots if lot.number in sums}
    for number, amount in sums.items():
        lot = by_number[number]
        system = directory.system_of(lot.issuer_hotel, txn.business_date)
        yield LotMoved(
            number,
            directory.hotels[lot.issuer_hotel].code,
            None if system is None else directory.systems[system].code,
            lot.asset,
            amount,
            lot.expires_on,
        )


def _told(leg: Leg, directory: Directory) -> LegTold:
    rulebook = directory.rulebook_by_number[leg.rulebook].rulebook
    return LegTold(
        leg_no=leg.leg_no,
        fee_kind=leg.fee_kind,
        issuer_hotel=directory.hotels[leg.issuer_hotel].code,
        issuer_system=directory.systems[leg.issuer_system].code,
        host_system=directory.systems[leg.host_system].code,
        is_cross_system=leg.is_cross_system,
        reason=leg.reason,
        rulebook_version=rulebook.version,
        fee_rule=rulebook.fee_rule(leg.fee_kind),
        points=leg.points,
        base_minor=leg.base_minor,
        obligation_minor=leg.obligation_minor,
        fee_minor=leg.fee_minor,
    )
