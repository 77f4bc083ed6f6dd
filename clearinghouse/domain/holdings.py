"""What a pool holds on a business date, and how much of it one host can use (domain.md §1 principle 3, §3).

Here nothing is told apart by issuer but what is the host's own: the rest of the split is the traveller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.pools import Lot, Pool


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
