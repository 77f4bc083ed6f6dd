"""One statement of one system for one period, as a value: everything a renderer needs, nothing to compute.

Renderers are functions ``render(statement, out) -> None`` (see ``formats.py``); they read this
value only, never the database or the clock, so the same value gives the same bytes (domain.md §4).
Amounts are fen, signed as documented per field. Every moment carries an offset and is shown in the
statement's own time zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cached_property

from clearinghouse.domain.operator_profile import OperatorProfile
from settlement.statements.sections import (
    Adjustment,
    Control,
    Exchange,
    Issued,
    Movement,
    Payment,
    Security,
    SigningKey,
    summed,
)

FEE_KINDS = ("spend", "redeem", "stored_value")

#: ``Party.code`` of the clearing house's own statement.
OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One leg or adjustment as one party sees it; the fields are the contract's columns, in its order (interfaces.md).

    Credit is what the party receives for the leg, debit what it owes; both are signed (a refund is
    negative), and both are empty on own-system lines, whose memo value is ``fee_base_minor``. So
    they add up to the summary's receivable and payable, ``fee_minor`` to its fees, and
    ``net_minor`` (credit − debit − fee, or the adjustment) to its net, before a VAT that is on
    top. On the clearing house's own statement a fee is negative: it earns it. An adjustment has no credit or debit;
    a fee that one charges or gives back is in ``fee_minor``, as that of a leg is.
    """

    statement_no: str
    line_no: int
    txn_id: str
    txn_ref: str | None
    original_txn_ref: str | None
    business_date: date
    occurred_at: datetime
    posted_at: datetime
    kind: str
    host_hotel: str | None
    host_system: str | None
    issuer_hotel: str | None
    issuer_system: str | None
    is_cross_system: bool
    late: bool
    card_masked: str | None
    points: int | None
    lots: str | None
    gross_debit_minor: int | None
    gross_credit_minor: int | None
    fee_rule: str | None
    rulebook_version: str | None
    fee_rate_ppm: int | None
    fee_base_minor: int | None
    fee_minor: int | None
    net_minor: int
    reason: str
    counterparty_system: str | None
    dispute_status: str | None
    remarks: str | None


LINE_COLUMNS: tuple[str, ...] = tuple(item.name for item in fields(StatementLine))


@dataclass(frozen=True, slots=True)
class Party:
    """Who a statement is for: a system, or the clearing house itself (``code`` ``OPERATOR``)."""

    code: str
    name_zh: str
    name_en: str
    uscc: str | None
    bank_account_masked: str | None


@dataclass(frozen=True, slots=True)
class Counterparty:
    """What was exchanged with one other system; ``net_minor`` is receivable − payable, before fees."""

    code: str
    name_zh: str
    name_en: str
    receivable_count: int
    receivable_minor: int
    payable_count: int
    payable_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Activity:
    """Lines of one kind (``spend``, ``redeem``, ``stored_value``): what was cleared and what it cost.

    ``own_*`` is own-system activity, which is shown so that a finance team sees that it was not
    charged. ``cross_base_minor`` is the value the fee was calculated on. ``fee_minor`` is what was
    charged, on the clearing house's own statement too.
    """

    kind: str
    cross_count: int
    cross_base_minor: int
    fee_minor: int
    own_count: int
    own_base_minor: int


@dataclass(frozen=True, slots=True)
class NetPoint:
    """The net position of one earlier or this period, for the chart."""

    period: str
    net_minor: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals; ``closing = opening + receivable − payable − fees (− vat on top) + adjustments − payments``.

    ``net`` is the same without opening and payments. Positive is what the party is to receive.
    ``payments`` is what the party was paid, negative what it has paid. ``vat_minor`` is contained
    in ``fees_minor`` where ``vat_on_top`` is false; ``vat_ppm`` is its rate. On the clearing
    house's own statement fees and VAT are negative: it earns them.
    """

    opening_minor: int
    receivable_minor: int
    payable_minor: int
    fees_minor: int
    vat_minor: int
    vat_on_top: bool
    vat_ppm: int
    adjustments_minor: int
    net_minor: int
    payments_minor: int
    closing_minor: int


@dataclass(frozen=True)
class Statement:
    """A published statement. ``lines`` may be iterated more than once and need not fit in memory.

    ``history`` is oldest first and ends with this period; ``line_count`` is how many ``lines``
    there are. ``exchanges`` add up to the counterparties' amounts, ``adjustments`` to the summary's
    adjustments, ``movements`` to minus its payments. ``control`` is the clearing house's only, ``payment``
    a member's where it has something to settle.
    """

    statement_no: str
    version: int
    period: str
    period_start: date
    period_end: date
    timezone: str
    party: Party
    currency: str
    cut_off_at: datetime
    generated_at: datetime
    due_date: date
    status: str
    rulebook_versions: tuple[str, ...]
    summary: Summary
    activities: tuple[Activity, ...]
    counterparties: tuple[Counterparty, ...]
    history: tuple[NetPoint, ...]
    line_count: int
    lines: Iterable[StatementLine]
    operator: OperatorProfile = field(default_factory=OperatorProfile)
    exchanges: tuple[Exchange, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    movements: tuple[Movement, ...] = ()
    issued: tuple[Issued, ...] = ()
    securities: tuple[Security, ...] = ()
    payment: Payment | None = None
    control: Control | None = None
    signing_key: SigningKey | None = None

    @cached_property
    def counterparty_total(self) -> Counterparty:
        """The sum of the counterparties."""
        return summed(Counterparty("", "", "", 0, 0, 0, 0, 0), self.counterparties)

    @cached_property
    def activity_total(self) -> Activity:
        """The sum of the activities."""
        return summed(Activity("", 0, 0, 0, 0, 0), self.activities)

    @cached_property
    def issued_total(self) -> Issued:
        """The points of all hotels together; its fair value is the sum of theirs, so that the table foots."""
        return summed(Issued("", 0, 0, 0, 0, 0, 0, 0, 0, 0), self.issued)
