"""Netting: from what was cleared to one net amount per system (domain.md §4).

Roll-ups are sums of increments that every sequence of transactions adds as it is posted, so month-end sums
what is summed already. A roll-up key is (period, measure, debtor, creditor); what debtor and creditor are
depends on the measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from clearinghouse.domain.accounts import AccountKind, kind_number, owner_of
from clearinghouse.domain.adjustments import Adjusted
from clearinghouse.domain.books import Posting, Txn
from clearinghouse.domain.money import vat_minor


class Measure(IntEnum):
    """What a roll-up counts: 1–2 system → system, 3–5 host system, 8–12 issuing hotel (creditor 0)."""

    OBLIGATION_REDEEM = 1
    OBLIGATION_STORED_VALUE = 2
    FEE_SPEND = 3
    FEE_REDEEM = 4
    FEE_STORED_VALUE = 5
    POINTS_ISSUED = 8
    POINTS_REDEEMED = 9
    POINTS_EXPIRED = 10
    POINTS_REVERSED = 11
    POINTS_DEBTS = 12


OBLIGATION_KINDS: Mapping[Measure, str] = {
    Measure.OBLIGATION_REDEEM: "redeem",
    Measure.OBLIGATION_STORED_VALUE: "stored_value",
}
# Plain numbers below: hashing an Enum is Python code, and these are looked up for every posting.
FEE_MEASURES: Mapping[str, int] = {
    "spend": Measure.FEE_SPEND.value,
    "redeem": Measure.FEE_REDEEM.value,
    "stored_value": Measure.FEE_STORED_VALUE.value,
}
_OBLIGATION_MEASURES: Mapping[str, int] = {
    kind: measure.value for measure, kind in OBLIGATION_KINDS.items()
}
#: For each kind of account that stands against a hotel's points: its measure, and the sign of a credit to it.
_POINTS_ACCOUNTS: Mapping[int, tuple[int, int]] = {
    AccountKind.POINTS_ISSUED.value: (Measure.POINTS_ISSUED.value, -1),
    AccountKind.POINTS_REDEEMED.value: (Measure.POINTS_REDEEMED.value, 1),
    AccountKind.POINTS_EXPIRED.value: (Measure.POINTS_EXPIRED.value, 1),
    AccountKind.POINTS_REVERSED.value: (Measure.POINTS_REVERSED.value, -1),
    AccountKind.POINTS_DEBTS.value: (Measure.POINTS_DEBTS.value, 1),
}

_NOTHING = (0, 0)
#: (period, number of the measure, debtor, creditor) → (count of legs or postings, amount)
Increments = dict[tuple[int, int, int, int], tuple[int, int]]


def increments(txns: Iterable[Txn]) -> Increments:
    """Sum what transactions add to the roll-ups."""
    sums: Increments = {}
    balances: dict[int, dict[int, tuple[int, int]]] = {}
    for txn in txns:
        for leg in txn.legs:
            if not leg.is_cross_system:
                continue
            if leg.fee_kind != "spend":
                measure = _OBLIGATION_MEASURES[leg.fee_kind]
                key = (txn.period, measure, leg.issuer_system, leg.host_system)
                _add(sums, key, 1, leg.obligation_minor)
            _add(
                sums, (txn.period, FEE_MEASURES[leg.fee_kind], leg.host_system, 0), 1, leg.fee_minor
            )
        add_postings(balances.setdefault(txn.period, {}), txn.postings)
    for period, accounts in balances.items():
        add_points(sums, period, accounts)
    return sums


def add_postings(balances: dict[int, tuple[int, int]], postings: Iterable[Posting]) -> None:
    """Sum postings per account: how many, and credits less debits."""
    for posting in postings:
        count, balance = balances.get(posting.debit, _NOTHING)
        balances[posting.debit] = (count + 1, balance - posting.amount)
        count, balance = balances.get(posting.credit, _NOTHING)
        balances[posting.credit] = (count + 1, balance + posting.amount)


def add_points(sums: Increments, period: int, balances: Mapping[int, tuple[int, int]]) -> None:
    """Count what was posted to the accounts that stand against hotels' points."""
    for number, (count, balance) in balances.items():
        found = _POINTS_ACCOUNTS.get(kind_number(number))
        if found is not None:
            measure, sign = found
            _add(sums, (period, measure, owner_of(number), 0), count, sign * balance)


def _add(sums: Increments, key: tuple[int, int, int, int], count: int, amount: int) -> None:
    counted, total = sums.get(key, _NOTHING)
    sums[key] = (counted + count, total + amount)


@dataclass(frozen=True, slots=True)
class Obligations:
    """Gross obligations of one pair and kind in a period; systems by number, ``amount_minor`` signed."""

    debtor: int
    creditor: int
    kind: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Position:
    """One system's position in a period, in fen; ``net_minor`` is what it receives (+) or pays (−)."""

    system: int
    receivable_minor: int
    payable_minor: int
    fees_minor: int
    vat_minor: int
    adjustments_minor: int
    net_minor: int


def net(
    systems: Iterable[int],
    obligations: Iterable[Obligations],
    fees: Mapping[int, int],
    *,
    vat_ppm: int,
    fees_include_vat: bool,
    adjusted: Mapping[int, Adjusted] | None = None,
) -> list[Position]:
    """Net a period: one position per system, in the order of ``systems`` (domain.md §4).

    ``net = receivable − payable − fees (− VAT where it is on top) ± adjustments``. ``fees`` are those of the legs; fees
    that adjustments charge or give back are added to them, before VAT is reckoned.
    """
    nothing = Adjusted()
    receivable: dict[int, int] = {}
    payable: dict[int, int] = {}
    for pair in obligations:
        receivable[pair.creditor] = receivable.get(pair.creditor, 0) + pair.amount_minor
        payable[pair.debtor] = payable.get(pair.debtor, 0) + pair.amount_minor
    positions = []
    for system in systems:
        adjustment, corrected_fees = (adjusted or {}).get(system, nothing)
        fee = fees.get(system, 0) + corrected_fees
        vat = vat_minor(fee, vat_ppm, fees_include_vat)
        gross = receivable.get(system, 0) - payable.get(system, 0)
        charged = fee if fees_include_vat else fee + vat
        positions.append(
            Position(
                system=system,
                receivable_minor=receivable.get(system, 0),
                payable_minor=payable.get(system, 0),
                fees_minor=fee,
                vat_minor=vat,
                adjustments_minor=adjustment,
                net_minor=gross - charged + adjustment,
            )
        )
    return positions
