"""Looking a card up at a front desk: what it is good for, and how its holder is treated here (domain.md §1).

A system sees its own cards fully. Of a visiting card it learns whether it is good and which treatment it gets:
not its issuer, not its tier, and nothing of its holder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from clearinghouse.domain.business_day import business_day
from clearinghouse.domain.directory import Directory, Tier
from clearinghouse.domain.errors import (
    CardNotActive,
    CardUnknown,
    HotelNotYours,
    HotelUnknown,
)
from clearinghouse.domain.identifiers import mask_card_number
from clearinghouse.domain.treatment import Card, CardState, CardTier, own_tier, treatment
from clearinghouse.operations.context import Context
from clearinghouse.operations.enquire import read_card_number
from clearinghouse.operations.party import Party
from clearinghouse.store import cards
from clearinghouse.store.cards import CardOnFile
from clearinghouse.store.database import Session

#: How a benefit is written in both languages: words with Chinese characters, then words without any.
_BOTH_LANGUAGES = re.compile(
    r"(\S*[\u4e00-\u9fff]\S*(?: \S*[\u4e00-\u9fff]\S*)*) ([^\u4e00-\u9fff]+)"
)


class Benefit(NamedTuple):
    """A benefit in Chinese and English; the same text twice where the tier has it in one language only."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a card is treated by a host's system on a business date, and why; rate in points per yuan × 10⁶.

    ``reason`` is ``own_system`` or ``reciprocal``; ``card_level`` is the alliance level from which a reciprocal tier
    was found. ``zh`` and ``en`` say it in a sentence.
    """

    system_code: str
    business_date: date
    tier_code: str
    name_zh: str
    name_en: str
    alliance_level: int
    card_level: int
    benefits: tuple[Benefit, ...]
    earn_ppm: int
    discount_percent: int
    rulebook_version: str | None
    reason: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class HeldTier:
    """A tier that a card was given by its system on a date, at the level that the tier had then."""

    tier_code: str
    name_zh: str
    name_en: str
    alliance_level: int
    given_on: date


@dataclass(frozen=True, slots=True)
class OwnCard:
    """What only the card's own system sees; name and phone are ``None`` once the holder's data was erased.

    ``tiers`` are oldest first; ``replaced_by`` is the id of the card in this one's place.
    """

    issuer_hotel: str
    issued_on: date
    tiers: tuple[HeldTier, ...]
    holder_name: str | None
    holder_phone_masked: str | None
    status_since: datetime | None
    status_reason: str | None
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as a party may see it; ``own`` is ``None`` for a visiting card.

    ``treatment`` is the one that the party's own system gives today; ``None`` if the card is not active, or it is
    the operator who asks.
    """

    card_id: str
    card_masked: str
    status: CardState
    is_own_system: bool
    treatment: Treatment | None
    own: OwnCard | None


@dataclass(frozen=True, slots=True)
class Desk:
    """One question at a moment: who asks, on which business date, and how the alliance stands then."""

    context: Context
    party: Party
    directory: Directory
    now: datetime
    today: date

    @classmethod
    def open(cls, context: Context, party: Party, session: Session) -> Desk:
        """Find out what day it is in the alliance."""
        directory, now = context.directory.current(session), context.clock()
        return cls(context, party, directory, now, business_day(directory, now))

    def is_own(self, card: Card) -> bool:
        """Tell whether a card is one of the party's own system today."""
        system = self.directory.system_of(card.issuer_hotel, self.today)
        return system is not None and system == self.party.system

    def find(self, session: Session, card_id: str) -> CardOnFile:
        """Return the card that the party names by an id that it was told.

        Raises:
            CardUnknown: it was told no such id.
        """
        number = self.context.vault.card_of(card_id, self.party.system)
        found = None if number is None else cards.on_file(session, number)
        if found is None:
            raise CardUnknown("there is no such card")
        return found

    def host(self, hotel_code: str) -> tuple[int, int]:
        """Return a hotel and its system, for which the party may speak today; the operator may for all.

        Raises:
            HotelUnknown: there is no such hotel, or not yet.
            HotelNotYours: it is not the party's.
        """
        hotel = self.directory.hotel_by_code.get(hotel_code)
        system = None if hotel is None else self.directory.system_of(hotel.number, self.today)
        if hotel is None or system is None:
            raise HotelUnknown("there is no such hotel in the alliance today")
        may = self.party.may_act_for(self.directory, hotel.number, self.today)
        if not (may or self.party.is_operator):
            raise HotelNotYours("these credentials may not speak for this hotel")
        return hotel.number, system


def look_up(context: Context, party: Party, card_number: str) -> CardView:
    """Return the card that has a number, however it was typed.

    Raises:
        CardUnknown: it is no card number, or there is no such card.
    """
    number = read_card_number(card_number)
    with context.database.posting() as session:
        card = cards.find_index(session, context.vault.blind_index("card", number))
        found = None if card is None else cards.on_file(session, card)
        if found is None:
            raise CardUnknown(f"there is no card {mask_card_number(number)}")
        return view(session, Desk.open(context, party, session), found)


def card(context: Context, party: Party, card_id: str) -> CardView:
    """Return a card that the party was told the id of.

    Raises:
        CardUnknown: it was told no such id.
    """
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        return view(session, desk, desk.find(session, card_id))


def treatment_of(context: Context, party: Party, card_id: str, hotel_code: str) -> Treatment:
    """Return how a card is treated at one of the party's hotels today (domain.md §1 principle 2).

    Raises:
        CardUnknown: the party was told no such id.
        CardNotActive: the card is suspended, replaced or closed, or not yet issued.
        HotelUnknown: there is no such hotel.
        HotelNotYours: the party may not speak for it.
    """
    with context.database.posting() as session:
        desk = Desk.open(context, party, session)
        _, host_system = desk.host(hotel_code)
        found = _treatment(desk, desk.find(session, card_id).card, host_system)
    if found is None:
        raise CardNotActive("the card is not active, so it has no treatment")
    return found


def view(session: Session, desk: Desk, found: CardOnFile) -> CardView:
    """Return of a card what the party may see."""
    own = desk.is_own(found.card)
    host_system = desk.party.system
    return CardView(
        card_id=desk.context.vault.card_id(found.card.number, desk.party.system),
        card_masked=found.masked,
        status=found.card.state_at(desk.now),
        is_own_system=own,
        treatment=None if host_system is None else _treatment(desk, found.card, host_system),
        own=_own(session, desk, found.card) if own else None,
    )


def _own(session: Session, desk: Desk, card: Card) -> OwnCard:
    directory, vault = desk.directory, desk.context.vault
    last = cards.last_state(session, card.number)
    holder = cards.holder_of(session, vault, card.traveller)
    successor = None if last is None else last.replaced_by
    return OwnCard(
        issuer_hotel=directory.hotels[card.issuer_hotel].code,
        issued_on=card.tiers[0].given_on,
        tiers=tuple(_held_tier(directory, tier) for tier in card.tiers),
        holder_name=None if holder is None else holder["name"],
        holder_phone_masked=None if holder is None else _masked_phone(holder["phone"]),
        status_since=None if last is None else last.since,
        status_reason=None if last is None else last.reason,
        replaced_by=None if successor is None else vault.card_id(successor, desk.party.system),
    )


def _held_tier(directory: Directory, held: CardTier) -> HeldTier:
    tier = directory.tier_on(held.system, held.tier_code, held.given_on)
    names = (tier.name_zh, tier.name_en) if tier else (held.tier_code, held.tier_code)
    return HeldTier(held.tier_code, *names, held.alliance_level, held.given_on)


def _masked_phone(phone: str) -> str:
    """Show so much of a phone number that its owner knows it again: the last four digits."""
    return f"******{phone[-4:]}" if phone else ""


def _treatment(desk: Desk, card: Card, host_system: int) -> Treatment | None:
    directory, today = desk.directory, desk.today
    held = card.tier_on(today)
    if held is None or not card.active_at(desk.now):
        return None
    own = own_tier(directory, host_system, card, held, today)
    tier = own or treatment(directory, host_system, card, held, today)
    if tier is None:
        return None
    in_force = directory.rulebook_on(today)
    zh, en = _why(tier, held, own is not None)
    return Treatment(
        system_code=directory.systems[host_system].code,
        business_date=today,
        tier_code=tier.code,
        name_zh=tier.name_zh,
        name_en=tier.name_en,
        alliance_level=tier.alliance_level,
        card_level=held.alliance_level,
        benefits=tuple(_benefit(text) for text in tier.benefits),
        earn_ppm=tier.earn_ppm,
        discount_percent=tier.discount_percent,
        rulebook_version=in_force.rulebook.version if in_force else None,
        reason="own_system" if own is not None else "reciprocal",
        zh=zh,
        en=en,
    )


def _why(tier: Tier, held: CardTier, is_own: bool) -> tuple[str, str]:
    """Say in Chinese and English why a card gets a tier."""
    zh, en = tier.name_zh or tier.name_en, tier.name_en or tier.name_zh
    if is_own:
        return f"本系统会员，享受其等级“{zh}”的待遇", f"A card of this system: its own tier, {en}"
    level = held.alliance_level
    return (
        f"来访会员，联盟级别 {level}，享受本系统“{zh}”的待遇",
        f"A visiting card of alliance level {level}: treated as this system's {en}",
    )


def _benefit(text: str) -> Benefit:
    both = _BOTH_LANGUAGES.fullmatch(text)
    return Benefit(both[1], both[2]) if both else Benefit(text, text)
