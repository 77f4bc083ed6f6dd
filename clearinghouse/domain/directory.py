"""The alliance as it stood on any date: systems, hotels and whose they were, tiers, rulebooks (domain.md §1).

A ``Directory`` is an immutable snapshot; every question to it names a business date, because memberships,
tiers and rulebooks are dated and history is never rewritten.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.domain.standing import Standing

_PLAIN = Standing()


@dataclass(frozen=True, slots=True)
class System:
    """A member of the alliance: one legal entity, one bank account, one net position."""

    number: int
    code: str
    name_zh: str
    name_en: str
    uscc: str | None = None
    bank_account: str | None = None


@dataclass(frozen=True, slots=True)
class Hotel:
    """An operating unit; ``memberships`` are (first date, system number), oldest first."""

    number: int
    code: str
    memberships: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of a system's own programme as it stands from ``effective_from``; rate in points per yuan × 10⁶."""

    system: int
    code: str
    effective_from: date
    name_zh: str
    name_en: str
    rank: int
    alliance_level: int
    earn_ppm: int
    discount_percent: int = 0
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RulebookInForce:
    """A version of the rulebook and the systems that have accepted it."""

    number: int
    rulebook: Rulebook
    accepted_by: frozenset[int]


class Directory:
    """Look up who is who on a business date. Answers are remembered, so keep one instance per snapshot."""

    def __init__(
        self,
        systems: Iterable[System],
        hotels: Iterable[Hotel],
        tiers: Iterable[Tier],
        rulebooks: Iterable[RulebookInForce],
        *,
        caps: Mapping[int, int] | None = None,
        standings: Mapping[int, Standing] | None = None,
    ) -> None:
        self.systems: Mapping[int, System] = {system.number: system for system in systems}
        #: Net debit caps in fen, of systems that have one; and how systems stand that are not plain members.
        self.caps: Mapping[int, int] = caps or {}
        self.standings: Mapping[int, Standing] = standings or {}
        self.hotels: Mapping[int, Hotel] = {hotel.number: hotel for hotel in hotels}
        self.hotel_by_code: Mapping[str, Hotel] = {h.code: h for h in self.hotels.values()}
        self.system_by_code: Mapping[str, System] = {s.code: s for s in self.systems.values()}
        self.rulebooks: Sequence[RulebookInForce] = sorted(
            rulebooks, key=lambda version: version.rulebook.effective_from
        )
        self.rulebook_by_number: Mapping[int, RulebookInForce] = {
            version.number: version for version in self.rulebooks
        }
        self._starts = [version.rulebook.effective_from for version in self.rulebooks]
        self._tiers: dict[int, dict[str, list[Tier]]] = {}
        for tier in sorted(tiers, key=lambda tier: tier.effective_from):
            self._tiers.setdefault(tier.system, {}).setdefault(tier.code, []).append(tier)
        self._tiers_on: dict[tuple[int, date], tuple[Tier, ...]] = {}
        self._system_on: dict[tuple[int, date], int | None] = {}

    def system_of(self, hotel: int, business_date: date) -> int | None:
        """Return the system a hotel belongs to on a date; ``None`` before its first date."""
        key = (hotel, business_date)
        try:
            return self._system_on[key]
        except KeyError:
            found = None
            for first_date, system in self.hotels[hotel].memberships:
                if first_date <= business_date:
                    found = system
            self._system_on[key] = found
            return found

    def issuer_system(self, hotel: int, business_date: date) -> int:
        """Return the system that an issuing hotel belongs to on a date; before its first one, the system it had then.

        A lot never predates its hotel's first membership, so the hotel has one.
        """
        system = self.system_of(hotel, business_date)
        return self.hotels[hotel].memberships[0][1] if system is None else system

    def standing(self, system: int) -> Standing:
        """Return how a system stands as the books are now."""
        return self.standings.get(system, _PLAIN)

    def rulebook_on(self, business_date: date) -> RulebookInForce | None:
        """Return the version in force on a date; ``None`` before the first one takes effect (§2)."""
        index = bisect_right(self._starts, business_date)
        return self.rulebooks[index - 1] if index else None

    def tiers_on(self, system: int, business_date: date) -> tuple[Tier, ...]:
        """Return a system's tiers on a date, lowest level and rank first.

        Tier tables carry no date of their own. Before its first known version a tier is as that version says,
        so that a late line from before the alliance knew the table is still treated (docs/decisions/0003).
        """
        key = (system, business_date)
        if key not in self._tiers_on:
            found = []
            for versions in self._tiers.get(system, {}).values():
                current = versions[0]
                for version in versions:
                    if version.effective_from <= business_date:
                        current = version
                found.append(current)
            found.sort(key=lambda tier: (tier.alliance_level, tier.rank, tier.code))
            self._tiers_on[key] = tuple(found)
        return self._tiers_on[key]

    def tier_on(self, system: int, code: str, business_date: date) -> Tier | None:
        """Return one tier of a system on a date."""
        return next((t for t in self.tiers_on(system, business_date) if t.code == code), None)
