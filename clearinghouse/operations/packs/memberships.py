"""Whose a hotel is on a date, from what is on record and a pack's rows; rows that contradict are refused."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs.known import HotelFacts
from clearinghouse.operations.packs.rows import HotelRow
from clearinghouse.operations.packs.tables import HOTELS


class Memberships:
    """The dated memberships of every hotel. "From the beginning" counts as the earliest date there is."""

    def __init__(self, known: Mapping[str, Mapping[date | None, HotelFacts]]) -> None:
        self._known = known
        self._added: dict[str, dict[date | None, tuple[HotelFacts, int]]] = {}
        self._timelines: dict[str, tuple[list[date], list[str]]] = {}

    def add(self, row: HotelRow) -> None:
        """Add a row of the pack.

        Raises:
            PackFault: it is there twice, contradicts one on record, or begins before the hotel's first row.
        """
        facts = HotelFacts(row.system_code, row.name_zh, row.name_en, row.city)
        known = self._known.get(row.code, {})
        added = self._added.setdefault(row.code, {})
        since = "the beginning" if row.effective_from is None else str(row.effective_from)
        if row.effective_from in added:
            _, line = added[row.effective_from]
            raise PackFault(
                f'hotel_code "{row.code}" from {since} is the same as on line {line}',
                HOTELS,
                row.line,
            )
        recorded = known.get(row.effective_from)
        if recorded is not None and recorded != facts:
            raise PackFault(
                f'hotel "{row.code}" from {since} is on record with other content',
                HOTELS,
                row.line,
            )
        # A hotel's history begins with its first row; an earlier one would rewrite it.
        first = min((_day(day) for day in (*known, *added)), default=date.min)
        if recorded is None and _day(row.effective_from) < first:
            raise PackFault(
                f'hotel "{row.code}" begins on {first}; a row from {since} would come before that',
                HOTELS,
                row.line,
            )
        added[row.effective_from] = (facts, row.line)

    def __contains__(self, hotel: str) -> bool:
        return hotel in self._known or hotel in self._added

    def system_on(self, hotel: str, day: date) -> str | None:
        """Return the system that a hotel belongs to on a day; ``None`` before its first date."""
        if hotel not in self._timelines:
            facts = dict(self._known.get(hotel, {}))
            facts.update({d: fact for d, (fact, _) in self._added.get(hotel, {}).items()})
            dated = sorted((_day(d), fact.system_code) for d, fact in facts.items())
            self._timelines[hotel] = ([d for d, _ in dated], [system for _, system in dated])
        days, systems = self._timelines[hotel]
        index = bisect_right(days, day)
        return systems[index - 1] if index else None


def _day(effective_from: date | None) -> date:
    return date.min if effective_from is None else effective_from
