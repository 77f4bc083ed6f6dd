"""A traveller's pool: lots of points, loads of stored value, debts (domain.md §3).

Loads are kept as lots that never expire, in fen instead of points.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

NEVER = date.max


@dataclass(eq=False)
class Lot:
    """Points (or fen) of one issuing hotel with one last usable day."""

    issuer: str
    remaining: int
    usable_from: date
    expires_on: date
    restored: bool = False  # it came back from an expired lot; it will not come back again
    expiry_posted: bool = False
    children: list["Lot"] = field(default_factory=list)  # the lots restored from this one
    lost: int = 0  # expired or gone, of this lot and its children, not yet counted as taken back

    def usable(self, day: date) -> bool:
        """§3 "Drawing on lots": usable on a business date."""
        in_time = self.usable_from <= day <= self.expires_on
        return self.remaining > 0 and in_time and not self.expiry_posted

    def has_expired(self, day: date) -> bool:
        """§3 "Refunds": its day is before the refund's business date, or its expiry is posted."""
        return self.expires_on < day or self.expiry_posted


@dataclass(eq=False)
class Draw:
    """What one transaction took from one lot, and how much of it has come back."""

    lot: Lot
    source: Lot  # the lot it was first issued as: `lot` itself unless that is a restored one
    quantity: int
    returned: int = 0


@dataclass(eq=False)
class Debt:
    """Points a traveller owes one hotel; it ends with the day its lot would have expired."""

    hotel: str
    ends_on: date
    changes: list[tuple[str, int]] = field(default_factory=list)  # period, points (+ owed)

    @property
    def outstanding(self) -> int:
        """Points still owed, whether or not the debt is live."""
        return sum(points for _, points in self.changes)

    def live(self, day: date) -> bool:
        """§3: "it ends with the day the lot would have expired (by business date)"."""
        return self.outstanding > 0 and day <= self.ends_on


@dataclass
class Wallet:
    """One traveller's pool; the lists are in order of acceptance."""

    lots: list[Lot] = field(default_factory=list)
    loads: list[Lot] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)

    def live_debts(self, day: date) -> int:
        """All points owed on a business date, to whichever hotel."""
        return sum(debt.outstanding for debt in self.debts if debt.live(day))

    def available(self, day: date) -> int:
        """§3: available points = usable lots − all the traveller's live debts."""
        return sum(lot.remaining for lot in self.lots if lot.usable(day)) - self.live_debts(day)

    def draw_order(self, day: date, own: Callable[[str], bool], own_first: bool) -> list[Lot]:
        """The usable lots in the order of §3; sorting keeps the order of acceptance for ties.

        `own` tells whether a hotel is of the host's own system on that day.
        """
        lots = [lot for lot in self.lots if lot.usable(day)]
        if own_first:
            return sorted(lots, key=lambda lot: (not own(lot.issuer), lot.expires_on))
        return sorted(lots, key=lambda lot: (lot.expires_on, not own(lot.issuer)))

    def repay(self, hotel: str, points: int, day: date, period: str) -> int:
        """New and returned points first repay a debt to that hotel, oldest first.

        Returns the points that are left for the traveller.
        """
        for debt in self.debts:
            if debt.hotel == hotel and debt.live(day):
                part = min(points, debt.outstanding)
                if part > 0:
                    debt.changes.append((period, -part))
                    points -= part
        return points

    def source_of(self, lot: Lot) -> Lot:
        """The lot that a restored lot came from; any other lot is its own source."""
        return next((one for one in self.lots if lot in one.children), lot)


def draw(lots: list[Lot], wanted: int, source_of: Callable[[Lot], Lot]) -> list[Draw]:
    """Take from the lots in the order given. The caller has made sure that there is enough."""
    draws = []
    for lot in lots:
        part = min(wanted, lot.remaining)
        if part > 0:
            lot.remaining -= part
            wanted -= part
            draws.append(Draw(lot, source_of(lot), part))
    assert wanted == 0, "drawn beyond the balance"
    return draws


def give_back(draws: list[Draw], wanted: int) -> list[tuple[Draw, int]]:
    """§3: a refund goes back last drawn first. The portions, each at most what was drawn."""
    portions = []
    for one in reversed(draws):
        part = min(wanted, one.quantity - one.returned)
        if part > 0:
            one.returned += part
            wanted -= part
            portions.append((one, part))
    assert wanted == 0, "refused before: exceeds_original"
    return portions


def return_points(
    wallet: Wallet, portion: tuple[Draw, int], day: date, period: str, grace_days: int
) -> int:
    """One portion of points comes back (§3 "Refunds"). Returns what adds to the lots."""
    one, points = portion
    lot = one.lot
    # "what comes from such a restored lot after its end is gone"
    if lot.restored and lot.has_expired(day):
        one.source.lost += points
        return 0
    # "Returned points, like new ones, first repay a debt to that issuer, portion by portion"
    points = wallet.repay(lot.issuer, points, day, period)
    if not lot.has_expired(day):
        lot.remaining += points
    elif points > 0:
        # "comes back as a new lot of that issuer, usable at once and for restore_grace_days"
        new = Lot(lot.issuer, points, day, day + timedelta(days=grace_days), restored=True)
        lot.children.append(new)
        wallet.lots.append(new)
    return points


def take_back(wallet: Wallet, lot: Lot, points: int, period: str) -> int:
    """A refund of a spend or an award takes earned points back (§3). Returns what left the lots.

    First what remains of that very lot, then of lots restored from it, then what of it has
    expired or is gone counts; the rest becomes a debt to its hotel.
    """
    from_lots = 0
    for one in [lot, *lot.children]:
        part = min(points, one.remaining)
        one.remaining -= part
        points -= part
        from_lots += part
    counted = min(points, lot.lost)
    lot.lost -= counted
    points -= counted
    if points > 0:
        wallet.debts.append(Debt(lot.issuer, lot.expires_on, [(period, points)]))
    return from_lots
