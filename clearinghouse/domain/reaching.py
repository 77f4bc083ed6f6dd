"""What of a pool one host can reach: whose lots it honours, in which order it draws, and whom it may not touch (§3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from clearinghouse.domain.case import Case
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.holdings import Usable, unheld
from clearinghouse.domain.limits import Limits, most_within
from clearinghouse.domain.money import points_value_minor
from clearinghouse.domain.pools import Draw, Lot, draw, draw_oldest
from clearinghouse.domain.rulebook import Rulebook


@dataclass(slots=True)  # not frozen: made for every use, and that costs half as much
class Reach:
    """One host system on a business date, and how it draws points or stored value from lots that are usable then."""

    directory: Directory
    rulebook: Rulebook
    limits: Limits | None
    host_system: int
    business_date: date
    in_points: bool

    @classmethod
    def of(cls, case: Case, rulebook: Rulebook, *, in_points: bool) -> Reach:
        """Return the reach of the host of a line that is being decided."""
        return cls(
            case.directory, rulebook, case.books.limits, case.host_system,
            case.line.business_date, in_points,
        )  # fmt: skip

    def issuer_system(self, issuer_hotel: int) -> int:
        """Return the system that an issuing hotel belongs to on the business date."""
        return self.directory.issuer_system(issuer_hotel, self.business_date)

    def is_own_system(self, issuer_hotel: int) -> bool:
        """Tell whether a hotel belongs to the host's own system on the business date."""
        return self.issuer_system(issuer_hotel) == self.host_system

    def good(self, lots: Sequence[Lot]) -> Sequence[Lot]:
        """Leave out lots whose issuer has left the alliance and its run-off has ended."""
        day = self.business_date
        return self._where(lots, lambda system: self.directory.standing(system).is_over(day))

    def honoured(self, lots: Sequence[Lot]) -> Sequence[Lot]:
        """Leave out lots of suspended systems; their own hotels honour them."""
        return self._where(
            lots,
            lambda system: system != self.host_system and self.directory.standing(system).suspended,
        )

    def take(self, lots: Sequence[Lot], amount: int) -> list[Draw]:
        """Plan how so much is drawn from lots that hold it, in the order of the rules."""
        if self.in_points:
            return draw(lots, amount, self.rulebook.draw_order, self.is_own_system) or []
        return draw_oldest(lots, amount) or []

    def within_limits(self, lots: Sequence[Lot], amount: int, owed: int) -> list[Draw] | None:
        """Plan a draw that takes no issuer past its limit; ``None`` if what others issued is not enough.

        An issuer whose limit a plan would pass is left out altogether (domain.md §4 "Risk"). To leave one out never
        lowers what is drawn on another, so the plan does not depend on who is left out first. ``owed`` is what the
        traveller owes, which has to stay in the pool.
        """
        while amount <= unheld(lots) - owed:
            draws = self.take(lots, amount)
            passed = self.limits.passed(self._owed(draws)) if self.limits is not None else None
            if not passed:
                return draws
            lots = self._where(lots, passed.__contains__)
        return None

    def most(self, lots: Sequence[Lot], owed: int, *, may_cross: bool) -> Usable:
        """Return the most that one use of such lots can be; a host that may not cross draws on no foreign lot."""
        honoured = self.honoured(self.good([lot for lot in lots if lot.unheld > 0]))
        total = max(unheld(honoured) - owed, 0)
        ordered = [lot for lot, _ in self.take(honoured, unheld(honoured))]
        if not may_cross:
            home = list(takewhile(lambda lot: self.is_own_system(lot.issuer_hotel), ordered))
            total = min(total, unheld(home))
        elif self.limits is not None:
            total = most_within(
                total, lambda amount: self.within_limits(honoured, amount, owed) is not None
            )
        own = unheld([lot for lot in ordered if self.is_own_system(lot.issuer_hotel)])
        return Usable(total, min(own, total))

    def _owed(self, draws: Sequence[Draw]) -> dict[int, int]:
        """Return what the issuers' systems will owe the host for a draw."""
        by_hotel: dict[int, int] = {}
        for lot, amount in draws:
            by_hotel[lot.issuer_hotel] = by_hotel.get(lot.issuer_hotel, 0) + amount
        owed: dict[int, int] = {}
        for hotel, amount in by_hotel.items():
            system = self.issuer_system(hotel)
            if system != self.host_system:
                owed[system] = owed.get(system, 0) + self._value(amount)
        return owed

    def _value(self, amount: int) -> int:
        """Return what an issuer will owe for so much, rounded as its leg will be."""
        if not self.in_points:
            return amount
        return points_value_minor(amount, self.rulebook.point_value_minor_per_100)

    def _where(self, lots: Sequence[Lot], left_out: Callable[[int], bool]) -> list[Lot]:
        return [lot for lot in lots if not left_out(self.issuer_system(lot.issuer_hotel))]
