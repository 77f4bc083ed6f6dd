"""What the books hold already, as far as a pack must agree with it; the caller loads it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class HotelFacts(NamedTuple):
    """What a hotel's row for a date says."""

    system_code: str
    name_zh: str
    name_en: str
    city: str


class TierStanding(NamedTuple):
    """Where a tier stands: the two numbers that must not collide within a system."""

    rank: int
    alliance_level: int


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card on record; ``tiers`` maps the date on which a tier was given to the tier's code."""

    traveller_ref: str
    issuer_hotel: str
    tiers: Mapping[date, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The books before an import.

    ``systems``, ``hotels`` and ``rulebooks`` are complete. ``tiers`` (by system, then code) are complete too,
    as they stand on the pack's date (``Pack.dated``), so that an older pack imported again is not judged by
    newer tiers. ``travellers`` and ``cards`` (by number) need only answer for those that the pack names;
    ``any_cards`` tells whether there are cards at all. A hotel's row "from the beginning" has the key
    ``None``. ``rulebooks`` maps a version to its effective date and ``rulebook_sha256``.
    """

    systems: Container[str] = frozenset()
    hotels: Mapping[str, Mapping[date | None, HotelFacts]] = field(default_factory=dict)
    tiers: Mapping[str, Mapping[str, TierStanding]] = field(default_factory=dict)
    travellers: Container[str] = frozenset()
    cards: Mapping[str, KnownCard] = field(default_factory=dict)
    rulebooks: Mapping[str, tuple[date, str]] = field(default_factory=dict)
    any_cards: bool = False
