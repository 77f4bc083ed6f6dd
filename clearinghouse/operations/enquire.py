"""Asking what a traveller holds: the pooled balance, by issuer and expiry (domain.md §1 "traveller", §3).

Seen with the operator's eyes: a host sees the total and its own part, the split by issuer is the traveller's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.errors import CardUnknown
from clearinghouse.domain.holdings import holdings, unheld
from clearinghouse.domain.identifiers import mask_card_number
from clearinghouse.domain.money import points_value_minor
from clearinghouse.domain.pools import Lot, Pool
from clearinghouse.domain.replaying import pool_as_of
from clearinghouse.operations.context import Context
from clearinghouse.operations.packs import fields
from clearinghouse.store import enquiry
from clearinghouse.store.database import Session
from clearinghouse.store.enquiry import CardHolder
from clearinghouse.store.periods import closed_through
from clearinghouse.store.snapshot import hold_still

_SEPARATORS = str.maketrans("", "", " -\u00a0\u3000")


@dataclass(frozen=True, slots=True)
class Issuer:
    """The hotel that issued something, and what it is called and whose it is on the date asked about."""

    hotel_code: str
    name_zh: str
    name_en: str
    system_code: str | None


@dataclass(frozen=True, slots=True)
class PointsHeld:
    """Points of one issuer with one expiry date; ``usable_from`` is given where that is still to come.

    ``points`` leaves out those ``held`` for an authorisation. ``worth_minor`` is in fen, ``None`` where no
    rulebook is in force.
    """

    issuer: Issuer
    expires_on: date
    usable_from: date | None
    points: int
    held: int
    worth_minor: int | None


@dataclass(frozen=True, slots=True)
class Owed:
    """Points that the traveller owes a hotel since a refund; the debt ends with the day ``ends_on``."""

    issuer: Issuer
    ends_on: date
    points: int


@dataclass(frozen=True, slots=True)
class StoredValue:
    """Stored value of one issuer, in fen; ``amount_minor`` leaves out what is held."""

    issuer: Issuer
    amount_minor: int
    held_minor: int


@dataclass(frozen=True, slots=True)
class Balance:
    """A traveller's pool on a business date, by expiry and issuer; money in fen, ``None`` without a rulebook.

    ``spendable_points`` are the usable points less all live debts, and not below 0. Stored value is apart:
    it is money, and usable only where ``stored_value_licensed`` says so (domain.md §2).
    """

    card_masked: str
    as_of: date
    rulebook_version: str | None
    points: tuple[PointsHeld, ...]
    debts: tuple[Owed, ...]
    stored_value: tuple[StoredValue, ...]
    usable_points: int
    spendable_points: int
    worth_minor: int | None
    pending_points: int
    held_points: int
    owed_points: int
    stored_value_minor: int
    stored_value_licensed: bool


def pooled_balance(context: Context, card_number: str, as_of: date | None = None) -> Balance:
    """Return the pooled balance that a card opens.

    Without a date it is as of now. For a day that is over it is as the books stood at the end of that business
    date: transactions count by business date, and what has expired since is still there; holds have left no
    trace. For a day to come it is what will be usable then of what there is now.

    Raises:
        CardUnknown: it is no card number, or there is no such card; the number is not told in full.
    """
    number = read_card_number(card_number)
    with context.database.office() as session:
        hold_still(session)
        holder = enquiry.card_holder(session, context.vault, number)
        if holder is None:
            raise CardUnknown(f"there is no card {mask_card_number(number)}")
        return _balance_of(context, session, holder, as_of)


def balance_of(context: Context, traveller: int, as_of: date | None = None) -> Balance:
    """Return the balance of a traveller, by number in the tables, as :func:`pooled_balance` does; no card is named."""
    with context.database.posting() as session:
        hold_still(session)
        return _balance_of(context, session, CardHolder(traveller, ""), as_of)


def _balance_of(
    context: Context, session: Session, holder: CardHolder, as_of: date | None
) -> Balance:
    directory = context.directory.current(session)
    now = context.clock()
    today = business_day(directory, now)
    on = as_of or today
    if on < today:
        txns = enquiry.posted_until(session, holder.traveller, on)
        lots = {p.lot for txn in txns for p in txn.postings if p.lot is not None}
        pool = pool_as_of(holder.traveller, enquiry.lots_numbered(session, lots), txns)
        closed = 0
    else:
        pool = enquiry.pool_now(session, holder.traveller, now)
        closed = closed_through(session)
    issuer = _issuers(session, directory, pool, on)
    return _balance(pool, directory, on, closed, issuer, holder.card_masked)


def read_card_number(text: str) -> str:
    """Return a card number however it was typed: with spaces or hyphens, or in full-width digits.

    Raises:
        CardUnknown: it is no card number.
    """
    number = unicodedata.normalize("NFKC", text).translate(_SEPARATORS)
    try:
        return fields.card_number(number)
    except fields.Unfit as reason:
        raise CardUnknown(f"the card number {reason}") from None


def _issuers(
    session: Session, directory: Directory, pool: Pool, on: date
) -> Callable[[int], Issuer]:
    """Look up the hotels that issued anything in a pool."""
    hotels = {lot.issuer_hotel for lot in pool.lots.values()}
    names = enquiry.hotel_names(session, hotels | {d.issuer_hotel for d in pool.debts}, on)

    def issuer(hotel: int) -> Issuer:
        system = directory.system_of(hotel, on)
        return Issuer(*names[hotel], None if system is None else directory.systems[system].code)

    return issuer


def _balance(
    pool: Pool,
    directory: Directory,
    on: date,
    closed: int,
    issuer: Callable[[int], Issuer],
    card_masked: str,
) -> Balance:
    in_force = directory.rulebook_on(on)
    rulebook = in_force.rulebook if in_force else None

    def worth(points: int) -> int | None:
        if rulebook is None:
            return None
        return points_value_minor(points, rulebook.point_value_minor_per_100)

    found = holdings(pool, on, closed)
    stored_value = _stored_value(found.stored_value, issuer)
    return Balance(
        card_masked=card_masked,
        as_of=on,
        rulebook_version=rulebook.version if rulebook else None,
        points=_points(found.points, on, issuer, worth),
        debts=_debts(pool, on, issuer),
        stored_value=stored_value,
        usable_points=unheld(found.usable),
        spendable_points=found.spendable,
        worth_minor=worth(found.spendable),
        pending_points=unheld(found.pending),
        held_points=found.held_points,
        owed_points=found.owed,
        stored_value_minor=sum(row.amount_minor for row in stored_value),
        stored_value_licensed=rulebook is not None and rulebook.licensed_on(on),
    )


def _points(
    lots: Iterable[Lot],
    on: date,
    issuer: Callable[[int], Issuer],
    worth: Callable[[int], int | None],
) -> tuple[PointsHeld, ...]:
    """Add up lots by issuer, expiry and the day from which they are usable; the earliest expiry first."""
    sums: dict[tuple[int, date, date | None], tuple[int, int]] = {}
    for lot in lots:
        if lot.remaining <= 0 or lot.expires_on is None:
            continue
        key = (lot.issuer_hotel, lot.expires_on, lot.usable_from if lot.usable_from > on else None)
        points, held = sums.get(key, (0, 0))
        sums[key] = (points + lot.unheld, held + lot.held)
    rows = [
        PointsHeld(issuer(hotel), expires_on, usable_from, points, held, worth(points))
        for (hotel, expires_on, usable_from), (points, held) in sums.items()
    ]
    rows.sort(key=lambda r: (r.expires_on, r.issuer.hotel_code, r.usable_from or date.min))
    return tuple(rows)


def _debts(pool: Pool, on: date, issuer: Callable[[int], Issuer]) -> tuple[Owed, ...]:
    sums: dict[tuple[int, date], int] = {}
    for debt in pool.debts:
        if debt.live_on(on):
            key = (debt.issuer_hotel, debt.ends_on)
            sums[key] = sums.get(key, 0) + debt.remaining
    rows = [Owed(issuer(hotel), ends_on, points) for (hotel, ends_on), points in sums.items()]
    return tuple(sorted(rows, key=lambda row: (row.ends_on, row.issuer.hotel_code)))


def _stored_value(lots: Iterable[Lot], issuer: Callable[[int], Issuer]) -> tuple[StoredValue, ...]:
    sums: dict[int, tuple[int, int]] = {}
    for lot in lots:
        if lot.remaining > 0:
            amount, held = sums.get(lot.issuer_hotel, (0, 0))
            sums[lot.issuer_hotel] = (amount + lot.unheld, held + lot.held)
    rows = [StoredValue(issuer(hotel), amount, held) for hotel, (amount, held) in sums.items()]
    return tuple(sorted(rows, key=lambda row: row.issuer.hotel_code))
