"""What was booked: legs and point movements by period, and the reports over them (domain.md §4)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .rules import Rulebook

POINT_MOVES = ("issued", "redeemed", "expired", "reversed")


@dataclass(frozen=True)
class Entry:
    """One posting of a leg: a first one, or the difference that a refund makes. Fen, signed."""

    period: str
    late: bool
    value: int  # cash, or the value that the issuer owes the host
    fee: int


@dataclass(eq=False)
class Leg:
    """Host against card issuer (`spend`) or against the issuer of what was drawn (§3).

    `quantity` is what remains of it: points for `redeem`, fen otherwise. Systems and rulebook are
    those of the business date, and a refund keeps them.
    """

    kind: str  # spend, redeem, stored_value: also the name of its fee
    host_system: str
    other_hotel: str
    other_system: str
    rulebook: Rulebook
    quantity: int = 0
    entries: list[Entry] = field(default_factory=list)

    @property
    def cross(self) -> bool:
        """§1: no exchange, no fee. One system on both sides: no obligation and no fee."""
        return self.host_system != self.other_system

    @property
    def reason(self) -> str:
        """Why the fee is what it is."""
        return "cross_system" if self.cross else "own_system"

    @property
    def value(self) -> int:
        """The value of all its entries."""
        return sum(entry.value for entry in self.entries)

    @property
    def fee(self) -> int:
        """The fee of all its entries."""
        return sum(entry.fee for entry in self.entries)

    def change(self, quantity: int, period: str, late: bool) -> None:
        """Add (or, negative, refund) so much.

        §3: compute the leg on what remains, post the difference.
        """
        self.quantity += quantity
        points = self.kind == "redeem"
        value = self.rulebook.points_value(self.quantity) if points else self.quantity
        fee = self.rulebook.fees[self.kind].on(value) if self.cross else 0
        self.entries.append(Entry(period, late, value - self.value, fee - self.fee))


@dataclass(frozen=True)
class Move:
    """One movement of an issuing hotel's outstanding points; `reversed` is signed (+ returned)."""

    period: str
    hotel: str
    what: str
    points: int


@dataclass(frozen=True)
class Position:
    """A system's period (positions.csv), in fen."""

    receivable: int
    payable: int
    fees: int
    vat: int
    adjustments: int
    net: int


@dataclass(frozen=True)
class Obligation:
    """A row of obligations.csv: legs counted (refunds too) and their signed sum in fen."""

    count: int
    amount: int


@dataclass(frozen=True)
class Liability:
    """A row of points_liability.csv: closing = opening + issued − redeemed − expired + reversed."""

    opening: int = 0
    issued: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0
    closing: int = 0
    debts: int = 0


def obligations(legs: Iterable[Leg], period: str) -> dict[tuple[str, str, str], Obligation]:
    """§3: issuer → host, by debtor, creditor and kind. A spend leg carries only a fee.

    A row whose legs cancel out (used and given back within the period) is not listed.
    """
    rows: dict[tuple[str, str, str], Obligation] = {}
    for leg in legs:
        if leg.kind == "spend" or not leg.cross:
            continue
        for entry in leg.entries:
            if entry.period == period:
                key = (leg.other_system, leg.host_system, leg.kind)
                old = rows.get(key, Obligation(0, 0))
                rows[key] = Obligation(old.count + 1, old.amount + entry.value)
    return {key: row for key, row in sorted(rows.items()) if row.amount != 0}


def positions(
    legs: Iterable[Leg], systems: Iterable[str], period: str, rulebook: Rulebook | None
) -> dict[str, Position]:
    """§4: net = receivable − payable − fees (− VAT where it is on top), for every system."""
    legs = list(legs)
    owed = obligations(legs, period)
    fees = dict.fromkeys(systems, 0)
    for leg in legs:
        for entry in leg.entries:
            if entry.period == period:
                fees[leg.host_system] += entry.fee  # the payer is the host
    rows = {}
    for system in sorted(fees):
        receivable = sum(row.amount for key, row in owed.items() if key[1] == system)
        payable = sum(row.amount for key, row in owed.items() if key[0] == system)
        # §2: rounded once per system, by the version in force on the period's last day
        vat = rulebook.vat(fees[system]) if rulebook else 0
        on_top = 0 if rulebook is None or rulebook.fees_include_vat else vat
        net = receivable - payable - fees[system] - on_top
        rows[system] = Position(receivable, payable, fees[system], vat, 0, net)
    return rows


def liabilities(
    moves: Iterable[Move], debts: Iterable[tuple[str, int]], period: str
) -> dict[str, Liability]:
    """§5.3 per issuing hotel; `debts` are (hotel, points) still owed at the period's end."""
    rows: dict[str, dict[str, int]] = {}
    for move in moves:
        if move.period > period:
            continue
        row = rows.setdefault(move.hotel, dict.fromkeys(("opening", *POINT_MOVES, "debts"), 0))
        sign = -1 if move.what in ("redeemed", "expired") else 1
        if move.period < period:
            row["opening"] += sign * move.points
        else:
            row[move.what] += move.points
    for hotel, points in debts:
        if points:  # none: the debt arose in a later period
            rows[hotel]["debts"] += points
    return {
        hotel: Liability(
            **row,
            closing=row["opening"]
            + row["issued"]
            - row["redeemed"]
            - row["expired"]
            + row["reversed"],
        )
        for hotel, row in sorted(rows.items())
    }
