"""Reciprocal treatment: which tier of the host a card gets (domain.md §1 principle 2, §3 "Earn rate")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from clearinghouse.domain.directory import Directory, Tier


@dataclass(frozen=True, slots=True)
class CardTier:
    """The tier a card was given on a date, by the system that gave it, with the level it had that day."""

    given_on: date
    system: int
    tier_code: str
    alliance_level: int


class CardState(StrEnum):
    """What a card is good for; the last two are for good."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REPLACED = "replaced"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Card:
    """A card; ``tiers`` are oldest first and the first one is given on the day of issue.

    ``states`` are oldest first too; a card is active until the first of them. ``stands_for`` are the cards, by
    number, that this one was issued in place of.
    """

    number: int
    traveller: int
    issuer_hotel: int
    tiers: tuple[CardTier, ...]
    states: tuple[tuple[datetime, CardState], ...] = ()
    stands_for: frozenset[int] = frozenset()

    def tier_on(self, business_date: date) -> CardTier | None:
        """Return the tier on a date; ``None`` before the card was issued."""
        found = None
        for tier in self.tiers:
            if tier.given_on <= business_date:
                found = tier
        return found

    def state_at(self, moment: datetime) -> CardState:
        """Return the state at a moment: what happened before a card was suspended still counts."""
        found = CardState.ACTIVE
        for since, state in self.states:
            if since <= moment:
                found = state
        return found

    def active_at(self, moment: datetime) -> bool:
        """Tell whether the card was active at a moment."""
        return not self.states or self.state_at(moment) is CardState.ACTIVE

    def is_same_as(self, other: int) -> bool:
        """Tell whether a card, by number, is this one or one that it stands in for."""
        return other == self.number or other in self.stands_for


def matching_tier(tiers: Sequence[Tier], alliance_level: int) -> Tier:
    """Return the host's tier for a visiting level: the highest level not above it, else the lowest level.

    Among several tiers of that level the lowest rank. ``tiers`` come lowest level and rank first, as
    :meth:`Directory.tiers_on` gives them, and are not empty.
    """
    chosen = tiers[0]
    for tier in tiers:
        if chosen.alliance_level < tier.alliance_level <= alliance_level:
            chosen = tier
    return chosen


def own_tier(
    directory: Directory, host_system: int, card: Card, card_tier: CardTier, business_date: date
) -> Tier | None:
    """Return a card's own tier at a host of the system that gave it and that the card still belongs to."""
    card_system = directory.system_of(card.issuer_hotel, business_date)
    if host_system != card_system or card_system != card_tier.system:
        return None
    return directory.tier_on(host_system, card_tier.tier_code, business_date)


def treatment(
    directory: Directory, host_system: int, card: Card, card_tier: CardTier, business_date: date
) -> Tier | None:
    """Return the tier of the host's programme that applies to a card on a date.

    A card of the host's own system has its own tier. A visiting card, and one whose issuing hotel has since
    moved to another system than gave the tier, is matched by its level. ``None``: the host has no tiers.
    """
    own = own_tier(directory, host_system, card, card_tier, business_date)
    if own is not None:
        return own
    tiers = directory.tiers_on(host_system, business_date)
    return matching_tier(tiers, card_tier.alliance_level) if tiers else None
