"""What a pool holds on a business date, and how much of it one host can use (domain.md §1 principle 3, §3).

Here nothing is told apart by issuer but what is the host's own: the rest of the split is the traveller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.pools import Lot, Pool, draw, draw_oldest


@dataclass(frozen=True, slots=True)
class Holdings:
    """What has not expired of a pool: points that are usable or pending, stored value, and debts in points.

    A lot may be held in part; its ``unheld`` is what counts as usable.
    """

    usable: Sequence[Lot]
    pending: Sequence[Lot]
    stored_value: Sequence[Lot]
    owed: int

    @property
    def points(self) -> list[Lot]:
        """All lots of points, usable and pending."""
        return [*self.usable, *self.pending]

    @property
    def held_points(self) -> int:
        """Points that are held, usable and pending."""
        return sum(lot.held for lot in self.points)

    @property
    def held_minor(self) -> int:
        """Stored value that is held, in fen."""
        return sum(lot.held for lot in self.stored_value)

    @property
    def spendable(self) -> int:
        """The usable points less all live debts, and not below 0."""
        return max(unheld(self.usable) - self.owed, 0)


def holdings(pool: Pool, on: date, closed_through: int) -> Holdings:
    """Sort what a pool holds on a business date."""
    alive = [lot for lot in pool.lots.values() if not lot.has_expired(on, closed_through)]
    points = [lot for lot in alive if lot.asset is Asset.POINT]
    return Holdings(
        usable=[lot for lot in points if lot.usable_from <= on],
        pending=[lot for lot in points if lot.usable_from > on],
        stored_value=[lot for lot in alive if lot.asset is Asset.CNY],
        owed=pool.owed_on(on),
    )


def unheld(lots: Sequence[Lot]) -> int:
    """Add up what is not held of lots."""
    return sum(lot.unheld for lot in lots)


class Usable(NamedTuple):
    """How much a host can use in one go, in points or fen, and how much of that its own system issued."""

    total: int
    own_system: int


NOTHING = Usable(0, 0)


def usable_points(
    found: Holdings, draw_order: str, may_cross: bool, is_own_system: Callable[[int], bool]
) -> Usable:
    """Return the most that one redemption at a host can be, by the rules of drawing (§3)."""
    lots = [lot for lot in found.usable if lot.unheld > 0]
    ordered = draw(lots, unheld(lots), draw_order, is_own_system) or []
    usable = _up_to_a_foreign_lot([lot for lot, _ in ordered], may_cross, is_own_system)
    total = min(usable.total, found.spendable)
    return Usable(total, min(usable.own_system, total))


def usable_stored_value(
    found: Holdings, may_cross: bool, is_own_system: Callable[[int], bool]
) -> Usable:
    """Return the most stored value, in fen, that can be used at a host at once; it has to be licensed besides."""
    lots = [lot for lot in found.stored_value if lot.unheld > 0]
    ordered = draw_oldest(lots, unheld(lots)) or []
    return _up_to_a_foreign_lot([lot for lot, _ in ordered], may_cross, is_own_system)


def _up_to_a_foreign_lot(
    ordered: Sequence[Lot], may_cross: bool, is_own_system: Callable[[int], bool]
) -> Usable:
    """Add up lots in their order; a host that may not cross is refused as soon as another system's is drawn."""
    total = own = 0
    for lot in ordered:
        is_own = is_own_system(lot.issuer_hotel)
        if not is_own and not may_cross:
            break
        total += lot.unheld
        own += lot.unheld if is_own else 0
    return Usable(total, own)
