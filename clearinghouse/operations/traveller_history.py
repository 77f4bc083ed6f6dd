"""What happened to a traveller's pool, as the traveller sees it: every hotel, every issuer, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.pools import Lot
from clearinghouse.domain.transactions import Kind
from clearinghouse.operations.context import Context
from clearinghouse.store import enquiry, receipts, traveller_history
from clearinghouse.store.database import Session
from clearinghouse.store.enquiry import HotelName
from clearinghouse.store.receipts import Recorded

_PREFIX = "txn_"


class Part(NamedTuple):
    """What came to (+) or went from (−) what one hotel had issued, in points or fen.

    ``expired`` is how much of that lot has expired since.
    """

    issuer: HotelName
    is_points: bool
    amount: int
    expires_on: date | None
    expired: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One transaction of a traveller.

    Attributes:
        of: What kind of transaction a refund is of.
        amount_minor: Fen that were paid, loaded or refunded, where the kind has an amount.
        points: The change of the points, as the lots were moved; below 0 where points were used or taken back.
        value_minor: The change of the stored value, in fen.
        worth_minor: What the points that were used (or came back) counted for, in fen.
        owed: The change of what the traveller owes, in points.
    """

    txn_id: UUID
    kind: Kind
    of: Kind | None
    hotel: HotelName
    business_date: date
    occurred_at: datetime
    txn_ref: str
    amount_minor: int | None
    points: int
    value_minor: int
    worth_minor: int
    owed: int
    parts: tuple[Part, ...]

    @property
    def public_id(self) -> str:
        """What the traveller's pages call it."""
        return f"{_PREFIX}{self.txn_id.hex}"


def history(
    context: Context, traveller: int, *, before: str | None = None, most: int
) -> list[Happening]:
    """Return what happened to a pool, the newest first, before a happening that was shown already.

    Raises:
        NotFound: ``before`` is no id of ours.
    """
    place = None
    if before is not None:
        place = id_in(before, _PREFIX)
        if place is None:
            raise NotFound("there is no such transaction")
    with context.database.posting() as session:
        found = traveller_history.newest(session, traveller, place, most)
        return _happenings(context, session, traveller, found)


def happening(context: Context, traveller: int, public_id: str) -> Happening:
    """Return one of a traveller's transactions.

    Raises:
        NotFound: the traveller has none with that id.
    """
    txn_id = id_in(public_id, _PREFIX)
    with context.database.posting() as session:
        if txn_id is None or _holder(session, txn_id) != traveller:
            raise NotFound("there is no such transaction")
        return _happenings(context, session, traveller, [txn_id])[0]


def _holder(session: Session, txn_id: UUID) -> int | None:
    try:
        return traveller_history.holder_of(session, txn_id)
    except ValueError:
        return None


def _happenings(
    context: Context, session: Session, traveller: int, wanted: Sequence[UUID]
) -> list[Happening]:
    if not wanted:
        return []
    today = business_day(context.directory.current(session), context.clock())
    found = receipts.recorded(session, wanted)
    originals = {r.txn.original for r in found.values() if r.txn.original is not None}
    kinds = traveller_history.kinds_of(session, originals)
    hotels = {lot.issuer_hotel for each in found.values() for lot in each.lots}
    hotels |= {each.txn.host_hotel for each in found.values()}
    names = enquiry.hotel_names(session, hotels, today)
    return [_happening(found[txn_id], traveller, kinds, names) for txn_id in wanted]


def _happening(
    recorded: Recorded,
    traveller: int,
    kinds: Mapping[UUID, Kind],
    names: Mapping[int, HotelName],
) -> Happening:
    txn, postings, legs, lots, _ = recorded
    parts = tuple(_parts(traveller, postings, lots, names))
    return Happening(
        txn_id=txn.txn_id,
        kind=txn.kind,
        of=None if txn.original is None else kinds.get(txn.original),
        hotel=names[txn.host_hotel],
        business_date=txn.business_date,
        occurred_at=txn.occurred_at,
        txn_ref=txn.txn_ref,
        amount_minor=txn.amount_minor,
        points=sum(part.amount for part in parts if part.is_points),
        value_minor=sum(part.amount for part in parts if not part.is_points),
        worth_minor=sum(leg.base_minor for leg in legs if leg.points is not None),
        owed=-_change(postings, account(AccountKind.TRAVELLER_DEBT, traveller)),
        parts=parts,
    )


def _parts(
    traveller: int,
    postings: Sequence[Posting],
    lots: Sequence[Lot],
    names: Mapping[int, HotelName],
) -> list[Part]:
    holder = (
        account(AccountKind.TRAVELLER_POINTS, traveller),
        account(AccountKind.TRAVELLER_STORED_VALUE, traveller),
    )
    found = []
    for lot in lots:
        moved = [posting for posting in postings if posting.lot == lot.number]
        amount = sum(_change(moved, each) for each in holder)
        if amount:
            is_points = lot.asset is Asset.POINT
            name = names[lot.issuer_hotel]
            found.append(Part(name, is_points, amount, lot.expires_on, lot.expired))
    return sorted(found, key=lambda p: (p.expires_on or date.max, p.issuer.code, p.amount))


def _change(postings: Sequence[Posting], of: int) -> int:
    return sum(p.amount * ((p.credit == of) - (p.debit == of)) for p in postings)
