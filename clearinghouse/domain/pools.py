"""A traveller's pool: lots of points and stored value, and debts (domain.md §3).

Everything here works on values in memory that the caller has loaded and locked; nothing is half-done:
a plan is made first, and only a plan that succeeds is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.calendar import period_of


class Lot:
    """Points, or stored value, issued by one hotel to one traveller.

    ``number`` rises in the order of acceptance. Of what was ``issued``, ``remaining`` is still there (of it
    ``held``), ``expired`` was posted as breakage, ``gone`` came back to a restored lot after its end, and
    ``forgiven`` is how much of expired and gone a refund has already counted as taken back. ``period`` is the
    period it was issued in; ``txn_id``, the transaction that did, is given for new lots only. A lot
    ``restored_from`` another came of a refund onto an expired lot.
    """

    __slots__ = (
        "asset",
        "expired",
        "expires_on",
        "forgiven",
        "gone",
        "held",
        "issued",
        "issuer_hotel",
        "number",
        "period",
        "remaining",
        "restored_from",
        "traveller",
        "txn_id",
        "usable_from",
    )

    def __init__(
        self,
        *,
        number: int,
        traveller: int,
        issuer_hotel: int,
        asset: Asset,
        period: int,
        issued: int,
        usable_from: date,
        expires_on: date | None,
        restored_from: int | None = None,
        txn_id: UUID | None = None,
        remaining: int | None = None,
        held: int = 0,
        expired: int = 0,
        gone: int = 0,
        forgiven: int = 0,
    ) -> None:
        self.number = number
        self.traveller = traveller
        self.issuer_hotel = issuer_hotel
        self.asset = asset
        self.txn_id = txn_id
        self.period = period
        self.issued = issued
        self.usable_from = usable_from
        self.expires_on = expires_on
        self.restored_from = restored_from
        self.remaining = issued if remaining is None else remaining
        self.held = held
        self.expired = expired
        self.gone = gone
        self.forgiven = forgiven

    @property
    def unheld(self) -> int:
        """What remains and is not held."""
        return self.remaining - self.held

    def left(self, closed_through: int) -> int:
        """Return what a refund can still take back: what is not held and has not expired for good."""
        return 0 if self.expiry_posted(closed_through) else self.unheld

    def lost(self, closed_through: int) -> int:
        """Return what has expired for good or is gone, also where a closing has not yet written it."""
        expiring = self.unheld if self.expiry_posted(closed_through) else 0
        return self.expired + self.gone + expiring

    def expiry_posted(self, closed_through: int) -> bool:
        """Tell whether the closing of a period has posted the expiry of this lot (§3 "Expiry").

        That is the first closed period that ends on or after ``expires_on`` and in which the lot existed.
        It holds from the moment the period takes no more legs, whatever has been written by then.
        """
        if self.expires_on is None:
            return False
        return closed_through >= max(self.period, period_of(self.expires_on))

    def has_expired(self, business_date: date, closed_through: int) -> bool:
        """Tell whether the lot's day is before this business date, or its expiry is posted."""
        if self.expires_on is None:
            return False
        return self.expires_on < business_date or self.expiry_posted(closed_through)

    def usable_on(self, business_date: date, closed_through: int) -> bool:
        """Tell whether something of this lot can be drawn on a business date (§3 "Drawing on lots")."""
        return (
            self.remaining > self.held
            and self.usable_from <= business_date
            and not self.has_expired(business_date, closed_through)
        )


class Debt:
    """Points that a traveller owes a hotel, since a refund took back points already spent (§3 "Refunds").

    ``posted`` is what of it stands in the ledger: closing the period of ``ends_on`` writes it off there, yet
    by business date a late line may still find the debt live.
    """

    __slots__ = (
        "ends_on",
        "issuer_hotel",
        "lot",
        "number",
        "owed",
        "period",
        "posted",
        "remaining",
        "traveller",
    )

    def __init__(
        self,
        *,
        number: int,
        traveller: int,
        issuer_hotel: int,
        lot: int,
        period: int,
        owed: int,
        ends_on: date,
        remaining: int | None = None,
        posted: int | None = None,
    ) -> None:
        self.number = number
        self.traveller = traveller
        self.issuer_hotel = issuer_hotel
        self.lot = lot
        self.period = period
        self.owed = owed
        self.ends_on = ends_on
        self.remaining = owed if remaining is None else remaining
        self.posted = owed if posted is None else posted

    def live_on(self, business_date: date) -> bool:
        """Tell whether the debt still counts on a business date; it ends with the day its lot would have."""
        return self.remaining > 0 and business_date <= self.ends_on


class Draw(NamedTuple):
    """So much drawn from, or returned to, one lot."""

    lot: Lot
    amount: int


class Pool:
    """One traveller's lots by number, and debts in the order in which they arose."""

    __slots__ = ("debts", "lots", "traveller")

    def __init__(self, traveller: int) -> None:
        self.traveller = traveller
        self.lots: dict[int, Lot] = {}
        self.debts: list[Debt] = []

    def usable(self, asset: Asset, business_date: date, closed_through: int) -> list[Lot]:
        """Return the lots of an asset that can be drawn on a business date."""
        return [
            lot
            for lot in self.lots.values()
            if lot.asset is asset and lot.usable_on(business_date, closed_through)
        ]

    def owed_on(self, business_date: date) -> int:
        """Return the points of all debts that are live on a business date, whoever they are owed to."""
        return sum(debt.remaining for debt in self.debts if debt.live_on(business_date))

    def family(self, lot: Lot) -> list[Lot]:
        """Return the lots restored from this one, in order of acceptance."""
        children = [child for child in self.lots.values() if child.restored_from == lot.number]
        return sorted(children, key=lambda child: child.number)


def draw(
    lots: Iterable[Lot], amount: int, draw_order: str, is_own_system: Callable[[int], bool]
) -> list[Draw] | None:
    """Plan how ``amount`` points are drawn from usable lots; ``None`` if they do not hold that much.

    ``is_own_system`` tells whether a hotel belongs to the host's own system on the business date (§3).
    """

    def earliest_expiry(lot: Lot) -> tuple[date, bool, int]:
        return (lot.expires_on or date.max, not is_own_system(lot.issuer_hotel), lot.number)

    def own_system_first(lot: Lot) -> tuple[bool, date, int]:
        return (not is_own_system(lot.issuer_hotel), lot.expires_on or date.max, lot.number)

    if draw_order == "own_system_first":
        return _take(sorted(lots, key=own_system_first), amount)
    return _take(sorted(lots, key=earliest_expiry), amount)


def draw_oldest(lots: Iterable[Lot], amount: int) -> list[Draw] | None:
    """Plan how stored value is drawn, in the order of acceptance; ``None`` if there is not enough."""
    return _take(sorted(lots, key=lambda lot: lot.number), amount)


def _take(lots: Sequence[Lot], amount: int) -> list[Draw] | None:
    draws = []
    for lot in lots:
        if amount <= 0:
            break
        part = min(lot.unheld, amount)
        draws.append(Draw(lot, part))
        amount -= part
    return draws if amount <= 0 else None


def give_back_order(draws: Sequence[Draw], returned: int, amount: int) -> list[Draw]:
    """Plan which draws ``amount`` goes back to: last drawn first, after ``returned`` went back before (§3)."""
    plan = []
    for lot, drawn in reversed(draws):
        skipped = min(drawn, returned)
        returned -= skipped
        part = min(drawn - skipped, amount)
        if part > 0:
            plan.append(Draw(lot, part))
            amount -= part
    return plan


class Taken(NamedTuple):
    """How points are taken back: from lots, by counting what had expired or gone, and the rest as debt."""

    draws: list[Draw]
    forgiven: int
    debt: int


def take_back(lot: Lot, family: Sequence[Lot], amount: int, closed_through: int) -> Taken:
    """Plan how a refund of a spend or award takes ``amount`` points back (§3 "Refunds").

    First what remains of that very lot and is not held, then of lots restored from it, then what of it has
    expired or is gone counts as taken back; the rest was spent already and becomes debt.
    """
    draws = []
    for source in (lot, *family):
        part = min(source.left(closed_through), amount)
        if part > 0:
            draws.append(Draw(source, part))
            amount -= part
    lost = sum(source.lost(closed_through) for source in (lot, *family)) - lot.forgiven
    forgiven = min(lost, amount)
    return Taken(draws, forgiven, amount - forgiven)


def repay(
    debts: Iterable[Debt], issuer_hotel: int, business_date: date, amount: int
) -> list[tuple[Debt, int]]:
    """Plan how new or returned points of a hotel repay live debts to it, oldest debt first (§3)."""
    paid = []
    for debt in debts:
        if amount <= 0:
            break
        if debt.issuer_hotel == issuer_hotel and debt.live_on(business_date):
            part = min(debt.remaining, amount)
            paid.append((debt, part))
            amount -= part
    return paid
