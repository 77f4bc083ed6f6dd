"""The sections of a statement beside its summary and lines: what was adjusted, moved, issued and pledged.

Amounts are fen and signed by their effect on the party: positive is to its credit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

Row = TypeVar("Row")

RECEIVABLE, PAYABLE = "receivable", "payable"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The obligations with one counterparty of one kind in one direction, as many as ``count`` lines.

    ``amount_minor`` is a part of the summary's receivable or payable, as ``direction`` says; it is negative where
    more was refunded than used.
    """

    code: str
    kind: str
    direction: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A correction of an earlier period; ``counterparty`` is a system's code, or ``None`` for the clearing house.

    ``counts_as`` says in which total of the summary it is: ``adjustment``, or ``fee`` where a fee is charged or given
    back. ``system`` says whose it is on the clearing house's statement.
    """

    number: int
    kind: str
    counterparty: str | None
    amount_minor: int
    counts_as: str
    reference: str
    text: str
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Money or collateral that moved on the party's account in the period.

    ``amount_minor`` is positive where the party paid in. ``system`` says whose it is on the clearing house's
    statement, which lists every member's movements with the opposite sign.
    """

    kind: str
    date: date
    amount_minor: int
    reference: str
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """The points that one issuer has issued: opening + issued − redeemed − expired + reversed = closing.

    ``redeemed_own`` were used at the issuer's own system, ``redeemed_cross`` at others. ``debts`` are points that
    travellers owe the issuer, kept apart. ``fair_value_minor`` is what the closing points are worth at the alliance's
    value of a point, without an estimate of how many will never be used. ``issuer`` is a hotel's code, and a system's
    on the clearing house's statement.
    """

    issuer: str
    opening: int
    issued: int
    redeemed_own: int
    redeemed_cross: int
    expired: int
    reversed: int
    closing: int
    debts: int
    fair_value_minor: int


@dataclass(frozen=True, slots=True)
class Security:
    """What secures the party's debts, or what it is owed of a defaulter, at the period's end."""

    kind: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OlderDebt:
    """What the party had not paid of an earlier period at this one's end, and what of it this one's payment takes."""

    reference: str
    unpaid_minor: int
    set_off_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class Payment:
    """How the party's net is settled: net + carried − what is set off against older debts = ``amount_minor``.

    ``amount_minor`` is what is really paid to the party (+) or by it (−), ``way`` how (as ``Member.settled_by``), and
    ``reference`` the instruction's. ``carried_minor`` is the credit that stood on its account at the period's end.
    """

    way: str
    reference: str
    net_minor: int
    carried_minor: int
    set_off_minor: int
    amount_minor: int
    older_debts: tuple[OlderDebt, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One system as the clearing house controls it; amounts as on that system's own statement.

    ``transfer_minor`` is what is to be transferred to it (+) or by it (−), and ``settled_by`` how: ``transfer`` (in the
    payment file), ``debit_note``, ``no_account`` (it is to be paid, and the payment file can't) or ``nothing``.
    """

    code: str
    name_zh: str
    name_en: str
    opening_minor: int
    receivable_minor: int
    payable_minor: int
    fees_minor: int
    vat_minor: int
    adjustments_minor: int
    net_minor: int
    payments_minor: int
    closing_minor: int
    transfer_minor: int
    settled_by: str


@dataclass(frozen=True, slots=True)
class Settling:
    """How many systems settle their net in one way, and how much together."""

    way: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Amounts that must add up to nothing; each term is what it is, and its amount in fen."""

    name: str
    terms: tuple[tuple[str, int], ...]

    @property
    def difference_minor(self) -> int:
        """What they add up to."""
        return sum(amount for _, amount in self.terms)


@dataclass(frozen=True, slots=True)
class Control:
    """What the clearing house proves to itself: every member, how each settles, and that nothing is left over."""

    members: tuple[Member, ...]
    total: Member
    settling: tuple[Settling, ...]
    proofs: tuple[Proof, ...]
    figures: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs the files of the period: its name in the published keys, and its fingerprint."""

    kid: str
    fingerprint: str


def summed(start: Row, rows: Iterable[Row]) -> Row:
    """Return ``start`` with every whole number in it replaced by the sum over ``rows``."""
    found = list(rows)
    sums: dict[str, Any] = {
        field.name: sum(getattr(row, field.name) for row in found)
        for field in fields(start)  # type: ignore[arg-type]  # a dataclass of whole numbers
        if isinstance(getattr(start, field.name), int)
    }
    return replace(start, **sums)  # type: ignore[type-var]  # as above
