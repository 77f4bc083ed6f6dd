"""A traveller's pool as the traveller sees it: one total, what ends soon, by issuer, and all of it to take along.

The split by issuer is the traveller's own business (domain.md §1): no host is ever told it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from clearinghouse.operations.context import Context
from clearinghouse.operations.enquire import Balance, Issuer, balance_of
from clearinghouse.operations.missing_stays import MissingStay, own_stays
from clearinghouse.operations.traveller_access import Visitor, sessions
from clearinghouse.operations.traveller_cards import cards_of
from clearinghouse.operations.traveller_history import Happening, history
from clearinghouse.store import cards

_PAGE = 200


class Expiring(NamedTuple):
    """Points that end within some days, the last day that counts, and the first day on which any do."""

    days: int
    points: int
    until: date
    first: date | None


class OfIssuer(NamedTuple):
    """What one hotel has issued of a pool; ``first_expiry`` is that of its points."""

    issuer: Issuer
    points: int
    held: int
    first_expiry: date | None
    stored_value_minor: int
    owed: int


@dataclass(frozen=True, slots=True)
class TravellerPool:
    """A balance with what a traveller asks of it first."""

    balance: Balance
    expiring: tuple[Expiring, ...]
    issuers: tuple[OfIssuer, ...]


def pool_of(context: Context, traveller: int) -> TravellerPool:
    """Return a traveller's pool as it is now."""
    balance = balance_of(context, traveller)
    return TravellerPool(
        balance,
        (expiring_within(balance, 30), expiring_within(balance, 90)),
        _by_issuer(balance),
    )


def expiring_within(balance: Balance, days: int) -> Expiring:
    """Return how many points that are not held end within so many days, today among them."""
    until = balance.as_of + timedelta(days=days)
    ending = [row for row in balance.points if row.points and row.expires_on <= until]
    first = min((row.expires_on for row in ending), default=None)
    return Expiring(days, sum(row.points for row in ending), until, first)


def person_of(context: Context, traveller: int) -> Mapping[str, str]:
    """Return a traveller's name, phone and e-mail, for their own eyes; empty once they were erased."""
    with context.database.posting() as session:
        return cards.holder_of(session, context.vault, traveller) or {}


def everything_of(context: Context, visitor: Visitor) -> dict[str, Any]:
    """Return all that is known of a traveller in one document, to take along (个人信息保护法 §45)."""
    traveller = visitor.traveller
    balance = balance_of(context, traveller)
    return {
        "made_at": context.clock().isoformat(),
        "person": dict(person_of(context, traveller)),
        "cards": [
            {
                "card_number": card.number,
                "status": card.status.value,
                "issuer_hotel": card.issuer.code,
                "system": card.system_code,
                "tier_zh": card.tier_zh,
                "tier_en": card.tier_en,
                "issued_on": card.issued_on.isoformat(),
            }
            for card in cards_of(context, traveller)
        ],
        "balance": _balance(balance),
        "history": [_happening(each) for each in _whole_history(context, traveller)],
        "missing_stays": [_stay(each) for each in _whole_stays(context, traveller)],
        "sessions": [
            {"begun_at": each.begun_at.isoformat(), "seen_at": each.seen_at.isoformat()}
            for each in sessions(context, visitor)
        ],
    }


def _by_issuer(balance: Balance) -> tuple[OfIssuer, ...]:
    found: dict[str, OfIssuer] = {}

    def add(issuer: Issuer, **changes: int) -> None:
        known = found.get(issuer.hotel_code) or OfIssuer(issuer, 0, 0, None, 0, 0)
        sums = {name: getattr(known, name) + value for name, value in changes.items()}
        found[issuer.hotel_code] = known._replace(**sums)

    for row in balance.points:
        add(row.issuer, points=row.points, held=row.held)
        known = found[row.issuer.hotel_code]
        if row.points and (known.first_expiry is None or row.expires_on < known.first_expiry):
            found[row.issuer.hotel_code] = known._replace(first_expiry=row.expires_on)
    for value in balance.stored_value:
        add(value.issuer, stored_value_minor=value.amount_minor + value.held_minor)
    for debt in balance.debts:
        add(debt.issuer, owed=debt.points)
    return tuple(
        sorted(
            found.values(), key=lambda r: (-r.points, -r.stored_value_minor, r.issuer.hotel_code)
        )
    )


def _whole_history(context: Context, traveller: int) -> Iterator[Happening]:
    before = None
    while True:
        found = history(context, traveller, before=before, most=_PAGE)
        yield from found
        if len(found) < _PAGE:
            return
        before = found[-1].public_id


def _whole_stays(context: Context, traveller: int) -> Iterator[MissingStay]:
    before = None
    while True:
        found = own_stays(context, traveller, before=before, most=_PAGE)
        yield from found
        if len(found) < _PAGE:
            return
        before = found[-1].number


def _balance(balance: Balance) -> dict[str, Any]:
    return {
        "as_of": balance.as_of.isoformat(),
        "spendable_points": balance.spendable_points,
        "worth_minor": balance.worth_minor,
        "pending_points": balance.pending_points,
        "held_points": balance.held_points,
        "owed_points": balance.owed_points,
        "stored_value_minor": balance.stored_value_minor,
        "points": [
            {
                "issuer_hotel": row.issuer.hotel_code,
                "points": row.points,
                "held": row.held,
                "expires_on": row.expires_on.isoformat(),
                "usable_from": row.usable_from.isoformat() if row.usable_from else None,
            }
            for row in balance.points
        ],
        "stored_value": [
            {
                "issuer_hotel": row.issuer.hotel_code,
                "amount_minor": row.amount_minor,
                "held_minor": row.held_minor,
            }
            for row in balance.stored_value
        ],
        "debts": [
            {
                "issuer_hotel": row.issuer.hotel_code,
                "points": row.points,
                "ends_on": row.ends_on.isoformat(),
            }
            for row in balance.debts
        ],
    }


def _happening(found: Happening) -> dict[str, Any]:
    return {
        "id": found.public_id,
        "kind": found.kind.value,
        "refund_of": found.of.value if found.of else None,
        "hotel": found.hotel.code,
        "business_date": found.business_date.isoformat(),
        "occurred_at": found.occurred_at.isoformat(),
        "txn_ref": found.txn_ref,
        "amount_minor": found.amount_minor,
        "points": found.points,
        "stored_value_minor": found.value_minor,
        "owed_points": found.owed,
        "parts": [
            {
                "issuer_hotel": part.issuer.code,
                "asset": "points" if part.is_points else "stored_value",
                "amount": part.amount,
                "expires_on": part.expires_on.isoformat() if part.expires_on else None,
            }
            for part in found.parts
        ],
    }


def _stay(found: MissingStay) -> dict[str, Any]:
    return {
        "id": found.report_id,
        "card": found.card_masked,
        "hotel": found.hotel.code,
        "arrived_on": found.arrived_on.isoformat(),
        "left_on": found.left_on.isoformat(),
        "amount_minor": found.amount_minor,
        "bill": found.bill,
        "note": found.note,
        "reported_at": found.reported_at.isoformat(),
        "state": found.state.value,
        "answer": found.answer,
        "txn_ref": found.txn_ref,
    }
