"""The rows of a pack's reference files; ``line`` is the physical line in the file (the header is line 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A line of ``systems.csv``; money in fen, no cap where ``net_debit_cap_minor`` is ``None``."""

    line: int
    code: str
    name_zh: str
    name_en: str
    uscc: str | None
    bank_account: str | None
    net_debit_cap_minor: int | None
    collateral_minor: int | None


@dataclass(frozen=True, slots=True)
class HotelRow:
    """A line of ``hotels.csv``: whose the hotel is from ``effective_from`` (``None``: from the beginning)."""

    line: int
    code: str
    system_code: str
    name_zh: str
    name_en: str
    city: str
    effective_from: date | None


@dataclass(frozen=True, slots=True)
class TierRow:
    """A line of ``tiers.csv``; ``earn_ppm`` is points per yuan × 1,000,000."""

    line: int
    system_code: str
    tier_code: str
    name_zh: str
    name_en: str
    rank: int
    alliance_level: int
    earn_ppm: int
    discount_percent: int
    benefits: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class TravellerRow:
    """A line of ``travellers.csv``: personal data, so it has no readable ``repr``; empty where not given."""

    line: int
    ref: str
    name: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True, repr=False)
class CardRow:
    """A line of ``cards.csv``: the tier from ``issued_on``; a later row for the card changes the tier."""

    line: int
    card_number: str
    traveller_ref: str
    issuer_hotel: str
    tier_code: str
    issued_on: date
