"""A host's own transactions: reading them back, refunding them, capturing what it holds (interfaces.md "HTTP")."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.transactions import Capture, Kind, Line, card_key
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.receipts import Receipt, receipt_from
from clearinghouse.store import holds, receipts
from clearinghouse.store.receipts import Wanted

_NO_CARD = 0


class Stated(NamedTuple):
    """What a host states anew when it refunds or captures."""

    txn_ref: str | None
    business_date: date
    occurred_at: datetime
    amount_minor: int | None
    points: int | None


def card_named(context: Context, party: Party, card_id: str) -> str:
    """Return what a line calls the card that the party knows by this id; no card, if it is none of its ids."""
    card = context.vault.card_of(card_id, party.system)
    return card_key(_NO_CARD if card is None else card)


def transaction(context: Context, party: Party, txn_id: UUID) -> Receipt:
    """Return the receipt of a transaction that the party hosted.

    Raises:
        NotFound: it hosted none with this id.
    """
    with context.database.reading(party.system) as session:
        host = receipts.host_of(session, txn_id)
    if host is None or not party.may_see_hotel(host):
        raise NotFound("there is no such transaction")
    return _receipts(context, [txn_id])[0]


def transactions(
    context: Context, party: Party, wanted: Wanted, before: UUID | None, limit: int
) -> list[Receipt]:
    """Return receipts of transactions that the party hosted, the newest first, before one of them."""
    directory = context.current_directory()
    with context.database.reading(party.system) as session:
        hotels = party.hotels
        if wanted.host_hotel is not None:
            hotel = directory.hotel_by_code.get(wanted.host_hotel)
            named = frozenset({hotel.number} if hotel else ())
            hotels = named if hotels is None else hotels & named
        found = receipts.newest(session, wanted, hotels, before, limit)
    return _receipts(context, found)


def refund_of(context: Context, party: Party, txn_id: UUID, stated: Stated) -> Line:
    """Make the line that refunds a transaction of the party's own.

    Raises:
        NotFound: it hosted none with this id.
    """
    original = transaction(context, party, txn_id)
    return Line(
        0,
        original.host_hotel,
        stated.txn_ref or "",
        original.txn_ref,
        Kind.REFUND.value,
        card_key(original.card),
        *stated[1:],
    )


def capture_of(context: Context, party: Party, auth_id: UUID, stated: Stated) -> Capture:
    """Make the line that captures an authorisation of the party's own, under its reference or another one.

    Raises:
        NotFound: it has none with this id.
    """
    directory = context.current_directory()
    with context.database.reading(party.system) as session:
        found = holds.stated(session, auth_id)
    if found is None or not party.may_see_hotel(found.host_hotel):
        raise NotFound("there is no such authorisation")
    return Capture(
        auth_id,
        0,
        directory.hotels[found.host_hotel].code,
        stated.txn_ref or found.txn_ref,
        None,
        found.kind.value,
        card_key(found.card),
        *stated[1:],
    )


def _receipts(context: Context, wanted: list[UUID]) -> list[Receipt]:
    if not wanted:
        return []
    # Lots and postings are nobody's to read; a receipt shows its host what its own transaction did to them.
    with context.database.posting() as session:
        directory = context.directory.current(session)
        found = receipts.recorded(session, wanted)
    return [receipt_from(found[txn_id], directory) for txn_id in wanted]
