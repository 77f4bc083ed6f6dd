"""What an enquiry reads of one traveller's pool: as it is now, or the journal that led to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.books import Posting
from clearinghouse.domain.pools import Lot, Pool
from clearinghouse.domain.replaying import PostedTxn
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.holds import over_but_held
from clearinghouse.store.loading import DEBT_COLUMNS, LOT_COLUMNS, debt_from_row, lot_from_row
from clearinghouse.store.vault import Vault


class CardHolder(NamedTuple):
    """Whose pool a card opens, by the traveller's number."""

    traveller: int
    card_masked: str


class HotelName(NamedTuple):
    """What a hotel is called on a date."""

    code: str
    name_zh: str
    name_en: str


def card_holder(session: Session, vault: Vault, card_number: str) -> CardHolder | None:
    """Return whose pool a card opens; ``None`` if there is no such card."""
    row = session.row(
        "SELECT traveller, masked FROM cards WHERE number_index = %s",
        [vault.blind_index("card", card_number)],
    )
    return CardHolder(*row) if row else None


def pool_now(session: Session, traveller: int, now: datetime) -> Pool:
    """Return a traveller's pool as it is: open lots and debts; a hold whose time is over counts for nothing."""
    pool = Pool(traveller)
    free_again = over_but_held(session, traveller, now)
    for lot in _lots(session, "traveller = %s AND remaining > 0", traveller):
        lot.held -= free_again.get(lot.number, 0)
        pool.lots[lot.number] = lot
    pool.debts.extend(
        debt_from_row(row)
        for row in session.rows(
            f"SELECT {DEBT_COLUMNS} FROM debts WHERE traveller = %s AND remaining > 0 ORDER BY number",
            [traveller],
        )
    )
    return pool


def lots_numbered(session: Session, numbers: Iterable[int]) -> list[Lot]:
    """Return lots as they are now, empty ones too, in the order of acceptance."""
    return _lots(session, "number = ANY (%s::bigint[])", array(numbers))


def posted_until(session: Session, traveller: int, last: date) -> list[PostedTxn]:
    """Return a traveller's transactions with business dates up to ``last``, by id."""
    found: list[PostedTxn] = []
    rows = session.rows(
        "SELECT t.txn_id, t.business_date, t.lot, t.original, p.debit, p.credit, p.asset, p.amount, p.lot"
        " FROM transactions t LEFT JOIN postings p ON p.period = t.period AND p.entry_id = t.txn_id"
        " WHERE t.traveller = %s AND t.business_date <= %s ORDER BY t.txn_id, p.seq",
        [traveller, last],
    )
    for txn_id, business_date, lot, original, debit, *posting in rows:
        if not found or found[-1].txn_id != txn_id:
            found.append(PostedTxn(txn_id, business_date, lot, original))
        if debit is not None:
            credit, asset, amount, of_lot = posting
            found[-1].postings.append(Posting(debit, credit, Asset(asset), amount, of_lot))
    return found


def hotel_names(session: Session, hotels: Iterable[int], on: date) -> dict[int, HotelName]:
    """Return what hotels are called on a date; before its first date, what a hotel was called then."""
    rows = session.rows(
        "SELECT DISTINCT ON (h.number) h.number, h.code, m.name_zh, m.name_en FROM hotels h"
        " JOIN memberships m ON m.hotel = h.number WHERE h.number = ANY (%s::int[])"
        " ORDER BY h.number, m.effective_from > %s,"
        " CASE WHEN m.effective_from > %s THEN m.effective_from END, m.effective_from DESC",
        [array(hotels), on, on],
    )
    return {number: HotelName(*name) for number, *name in rows}


def _lots(session: Session, condition: str, value: object) -> list[Lot]:
    sql = f"SELECT {LOT_COLUMNS} FROM lots WHERE {condition} ORDER BY number"
    return [lot_from_row(row) for row in session.rows(sql, [value])]
