"""A transaction line of the sample, its reference and its row in transactions-YYYY-MM.csv."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from api.demo.facts import ACCEPTED, REPEATED
from api.demo.people import Card

TRANSACTIONS_HEADER = (
    "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,"
    "amount_minor,points"
)

POINTS_KINDS = ("redeem", "award")
_ALLIANCE_OFFSET_HOURS = 8


@dataclass(eq=False, slots=True)
class Line:
    """One line; times are in the alliance's zone, money is in fen.

    `arrives` places it in a file, `occurred_at` is what it says. A refund names its `original`,
    or `missing_original` where there is none. A line that takes the reference of another one has
    it in `same_ref_as`. `outcome` is what the clearing house has to answer.
    """

    kind: str
    hotel: str
    card_number: str
    business_date: date
    occurred_at: datetime
    arrives: datetime
    amount: int | None = None
    points: int | None = None
    original: Line | None = None
    missing_original: str = ""
    same_ref_as: Line | None = None
    outcome: str = ACCEPTED
    offset_hours: int = _ALLIANCE_OFFSET_HOURS
    leading_zeros: int = 0
    txn_ref: str = ""

    def row(self) -> tuple[str, ...]:
        """The fields of the line in the order of the header."""
        original_ref = self.original.txn_ref if self.original else self.missing_original
        zone = timezone(timedelta(hours=self.offset_hours))
        occurred = self.occurred_at.astimezone(zone).isoformat().replace("+00:00", "Z")
        return (
            self.hotel,
            self.txn_ref,
            original_ref,
            self.kind,
            self.card_number,
            self.business_date.isoformat(),
            occurred,
            self._number(self.amount),
            self._number(self.points),
        )

    def _number(self, value: int | None) -> str:
        return "" if value is None else "0" * self.leading_zeros + str(value)

    @property
    def pays_in_points(self) -> bool:
        """Whether its quantity is points, for a refund that of the original's kind."""
        kind = self.original.kind if self.original else self.kind
        return kind in POINTS_KINDS


def line(kind: str, hotel: str, card: Card, when: datetime, quantity: int) -> Line:
    """An accepted line on the business date of its own day; the quantity is fen or points."""
    made = Line(kind, hotel, card.number, when.date(), when, when)
    if kind in POINTS_KINDS:
        made.points = quantity
    else:
        made.amount = quantity
    return made


def refund(original: Line, when: datetime, quantity: int) -> Line:
    """A refund of part of a line, at the same hotel with the same card, in its unit."""
    made = Line("refund", original.hotel, original.card_number, when.date(), when, when)
    made.original = original
    if made.pays_in_points:
        made.points = quantity
    else:
        made.amount = quantity
    return made


def repeat(first: Line, when: datetime, offset_hours: int, leading_zeros: int) -> Line:
    """The same content again in another spelling, arriving at another time."""
    return replace(
        first,
        arrives=when,
        same_ref_as=first,
        outcome=REPEATED,
        offset_hours=offset_hours,
        leading_zeros=leading_zeros,
    )


def put_in_order(lines: list[Line]) -> list[Line]:
    """Sort by arrival and give every line its hotel's next reference."""
    ordered = sorted(lines, key=lambda each: each.arrives)
    counters: dict[str, int] = {}
    for each in ordered:
        if each.same_ref_as is not None:
            each.txn_ref = each.same_ref_as.txn_ref
            continue
        counters[each.hotel] = counters.get(each.hotel, 0) + 1
        each.txn_ref = f"{each.arrives:%y%m}-{counters[each.hotel]:06d}"
    return ordered
