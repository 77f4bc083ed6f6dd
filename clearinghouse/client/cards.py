"""Cards: how to treat one at the front desk, what it can spend here, and what its own system may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

from clearinghouse.client.transport import Ask, Transport, in_json
from clearinghouse.client.values import Money, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How a card is treated here today; ``reason`` is ``own_system`` or ``reciprocal``."""

    system: str
    business_date: date
    tier_code: str
    name_zh: str
    name_en: str
    alliance_level: int
    card_level: int
    benefits: tuple[Sentence, ...]
    earn_points_per_yuan: Decimal
    discount_percent: int
    rulebook_version: str | None = None
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTier:
    """A tier that a card was given on a date."""

    tier_code: str
    name_zh: str
    name_en: str
    alliance_level: int
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCard:
    """What only the card's own system sees."""

    issuer_hotel: str
    issued_on: date
    tiers: tuple[HeldTier, ...]
    holder_name: str | None = field(default=None, repr=False)
    holder_phone_masked: str | None = field(default=None, repr=False)
    status_since: datetime | None = None
    status_reason: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card. ``treatment`` is ``None`` unless it is active, ``own`` for a visiting card."""

    card_id: str
    card_masked: str
    status: str
    is_own_system: bool
    treatment: Treatment | None = None
    own: OwnCard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsFrom:
    """Points that become usable on a day."""

    usable_from: date
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsUntil:
    """Points that are usable to the end of a day."""

    expires_on: date
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsBalance:
    """Points: usable here now, how many of them the own system issued, what they are worth, and the rest."""

    usable: int
    own_system: int
    worth: Money | None = None
    pending: int
    held: int
    owed: int
    becoming_usable: tuple[PointsFrom, ...]
    expiring: tuple[PointsUntil, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredValueBalance:
    """Stored value: usable here now, how much of it the own system issued, and what is held."""

    usable: Money
    own_system: Money
    held: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Why so many points, or so much stored value in fen, can't be used here now."""

    asset: str
    code: str
    amount: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a card can spend at one hotel now, and why not more."""

    card_id: str
    card_masked: str
    status: str
    hotel: str
    business_date: date
    rulebook_version: str | None = None
    points: PointsBalance
    stored_value: StoredValueBalance
    why_not: tuple[WhyNot, ...]


class Cards:
    """``/v1/cards``; needs ``cards:read``, and ``cards:write`` for changes.

    A ``card_id`` is what a look-up tells: keep that one, and never the number of a visiting card.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def lookup(self, card_number: str) -> Card:
        """Return the card with a number, and how it is treated here."""
        body = in_json({"card_number": card_number})
        return self._transport.read(
            Card, Ask(method="POST", path="/v1/cards/lookup", body=body, repeatable=True)
        )

    def lookup_code(self, code: str) -> Card:
        """Return the card whose code the guest shows on a phone or on paper."""
        body = in_json({"card_code": code.strip()})
        return self._transport.read(
            Card, Ask(method="POST", path="/v1/cards/lookup", body=body, repeatable=True)
        )

    def get(self, card_id: str) -> Card:
        """Return a card."""
        return self._transport.get(Card, _path(card_id))

    def treatment(self, card_id: str, hotel: str) -> Treatment:
        """Return how a card is treated at one of the own hotels today."""
        return self._transport.get(Treatment, f"{_path(card_id)}/treatment", hotel=hotel)

    def balance(self, card_id: str, hotel: str) -> Balance:
        """Return what a card can spend at one of the own hotels now."""
        return self._transport.get(Balance, f"{_path(card_id)}/balance", hotel=hotel)

    def give_tier(
        self, card_id: str, tier_code: str, *, tier_from: date | None = None, reason: str = ""
    ) -> Card:
        """Give an own card a tier from a business date on, today if none is given."""
        day = None if tier_from is None else tier_from.isoformat()
        return self._change(card_id, tier_code=tier_code, tier_from=day, reason=reason)

    def suspend(self, card_id: str, reason: str = "") -> Card:
        """Suspend an own card: it is refused everywhere until it is reactivated."""
        return self._set_status(card_id, "suspended", reason)

    def reactivate(self, card_id: str, reason: str = "") -> Card:
        """Let a suspended own card be good again."""
        return self._set_status(card_id, "active", reason)

    def close(self, card_id: str, reason: str = "") -> Card:
        """Close an own card for good."""
        return self._set_status(card_id, "closed", reason)

    def replace(self, card_id: str, *, card_number: str | None = None, reason: str = "") -> Card:
        """Issue a card in the place of a lost one; the points stay. Asked again, it returns the same card.

        ``card_number`` is that of a printed card; without it a number is made.
        """
        body = in_json({"card_number": card_number, "reason": reason})
        return self._transport.read(
            Card, Ask(method="POST", path=f"{_path(card_id)}/replace", body=body, repeatable=True)
        )

    def _set_status(
        self, card_id: str, status: Literal["active", "suspended", "closed"], reason: str
    ) -> Card:
        return self._change(card_id, status=status, reason=reason)

    def _change(self, card_id: str, **changes: str | None) -> Card:
        return self._transport.read(
            Card, Ask(method="PATCH", path=_path(card_id), body=in_json(changes))
        )


def _path(card_id: str) -> str:
    return f"/v1/cards/{quote(card_id, safe='')}"
