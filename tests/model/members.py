"""Who is who: systems, hotels, tiers and cards, all of them dated (domain.md §1, §3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeVar

from .rules import PackError

T = TypeVar("T")
Row = Mapping[str, str]
BEGINNING = date.min


@dataclass(frozen=True)
class Tier:
    """One tier of one system's own programme; `rate` is points per yuan."""

    rank: int
    level: int
    rate: Fraction


@dataclass(frozen=True)
class Grant:
    """A tier given to a card: by which system, and the alliance level it had then (§3)."""

    tier_code: str
    system: str
    level: int


@dataclass
class Card:
    """A card and, by date, the tiers it was given. It opens its traveller's pool."""

    traveller: str
    issuer_hotel: str
    grants: dict[date, Grant] = field(default_factory=dict)


def at(dated: Mapping[date, T], day: date) -> T | None:
    """What holds on a day: the entry with the latest date not after it."""
    dates = [start for start in dated if start <= day]
    return dated[max(dates)] if dates else None


def record(dated: dict[date, T], day: date, value: T, what: str) -> None:
    """§3: a row that contradicts an earlier one for the same date is a structural fault."""
    if dated.setdefault(day, value) != value:
        raise PackError(f"{what} contradicts an earlier row for the same date")


class Members:
    """The registers a pack fills."""

    def __init__(self) -> None:
        self.systems: list[str] = []
        self.caps: dict[str, int] = {}
        self.hotels: dict[str, dict[date, str]] = {}
        self.tiers: dict[str, dict[str, dict[date, Tier]]] = {}
        self.travellers: list[str] = []
        self.cards: dict[str, Card] = {}

    def add_system(self, row: Row) -> None:
        """A row of systems.csv; only its code and its cap matter here. An empty cap means no cap."""
        if row["system_code"] not in self.systems:
            self.systems.append(row["system_code"])
        if row.get("net_debit_cap_minor"):
            self.caps[row["system_code"]] = int(row["net_debit_cap_minor"])

    def add_hotel(self, row: Row) -> None:
        """A row of hotels.csv: the hotel belongs to the system from that date on."""
        if row["system_code"] not in self.systems:
            raise PackError(f"hotel of an unknown system {row['system_code']}")
        start = row.get("effective_from") or ""
        day = date.fromisoformat(start) if start else BEGINNING
        code = row["hotel_code"]
        record(self.hotels.setdefault(code, {}), day, row["system_code"], f"hotel {code}")

    def add_tier(self, row: Row, effective_from: date = BEGINNING) -> None:
        """A row of tiers.csv. The file has no date; a caller may say from when it holds."""
        if row["system_code"] not in self.systems:
            raise PackError(f"tier of an unknown system {row['system_code']}")
        tier = Tier(
            rank=int(row["rank"]),
            level=int(row["alliance_level"]),
            rate=Fraction(row["earn_points_per_yuan"]),
        )
        of_system = self.tiers.setdefault(row["system_code"], {})
        record(of_system.setdefault(row["tier_code"], {}), effective_from, tier, "tier")

    def add_traveller(self, row: Row) -> None:
        """A row of travellers.csv."""
        if row["traveller_ref"] not in self.travellers:
            self.travellers.append(row["traveller_ref"])

    def add_card(self, row: Row) -> None:
        """A row of cards.csv; a later date for the same number gives the card another tier.

        §3: a card keeps the alliance level that its tier had when the tier was given.
        """
        day = date.fromisoformat(row["issued_on"])
        if row["traveller_ref"] not in self.travellers:
            raise PackError(f"card of an unknown traveller {row['traveller_ref']}")
        system = self.system_of(row["issuer_hotel"], day)
        if system is None:
            raise PackError(f"card of an unknown hotel {row['issuer_hotel']}")
        tier = at(self.tiers.get(system, {}).get(row["tier_code"], {}), day)
        if tier is None:
            raise PackError(f"card of an unknown tier {row['tier_code']}")
        new = Card(row["traveller_ref"], row["issuer_hotel"])
        card = self.cards.setdefault(row["card_number"], new)
        if (card.traveller, card.issuer_hotel) != (new.traveller, new.issuer_hotel):
            raise PackError("a card cannot change its traveller or its issuer")
        record(card.grants, day, Grant(row["tier_code"], system, tier.level), "card")

    def system_of(self, hotel: str, day: date) -> str | None:
        """§1: which system a hotel belongs to is dated; None before its first date."""
        return at(self.hotels.get(hotel, {}), day)

    def earn_rate(self, card: Card, host: str, day: date) -> Fraction:
        """§3 "Earn rate", in points per yuan."""
        host_system = self.system_of(host, day) or ""
        grant = at(card.grants, day)
        assert grant is not None, "refused before: card_not_active"
        known = {code: at(dated, day) for code, dated in self.tiers.get(host_system, {}).items()}
        tiers = {code: tier for code, tier in known.items() if tier is not None}
        if not tiers:
            return Fraction(0)
        # "A card of the host's own system earns at its own tier", unless another system gave it.
        if self.system_of(card.issuer_hotel, day) == host_system == grant.system:
            return tiers[grant.tier_code].rate
        # "the host's tier of the highest level not above the card's (the lowest level if none)"
        below = [tier.level for tier in tiers.values() if tier.level <= grant.level]
        level = max(below) if below else min(tier.level for tier in tiers.values())
        # "among several tiers of that level, the lowest rank"
        return min((t for t in tiers.values() if t.level == level), key=lambda t: t.rank).rate
