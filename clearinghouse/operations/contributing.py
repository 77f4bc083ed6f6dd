"""Contributions to the guarantee fund: a share of what a system pays in an average month (domain.md §2).

A contribution is a deposit and no fee: what a system has contributed so far counts, and each month brings it up to the
share. It moves on the system's account and is collected with its next payment (docs/decisions/0023).
"""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.money import PPM, divide_half_up
from clearinghouse.operations.booking import book, must_be_two
from clearinghouse.operations.changing import Authority, changing
from clearinghouse.operations.close import rulebook_of_period
from clearinghouse.operations.context import Context
from clearinghouse.store import periods, risk
from clearinghouse.store.payments import allocations, hold_payments
from clearinghouse.store.payments.allocations import Allocation
from clearinghouse.store.periods import PUBLISHED

#: Over how many months the payables are averaged.
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a system contributes for a month, in fen, and what of: its average payables and what it had contributed."""

    system_code: str
    average_minor: int
    before_minor: int
    amount_minor: int


def contribute(context: Context, period: int, authority: Authority) -> list[Contribution]:
    """Post the contributions of a published period; systems that owe none are left out.

    Raises:
        PeriodNotReady: no rulebook is in force at the end of the period.
        OperatorRefused: the period is not published, its contributions are posted, the rulebook wants none, or only
            one person says so.
    """
    name = format_period(period)
    with changing(context, authority) as change:
        must_be_two(change)
        hold_payments(change.session)
        if periods.state_of(change.session, period) not in PUBLISHED:
            raise OperatorRefused(f"{name} is not published yet")
        if risk.has_contributed(change.session, period):
            raise OperatorRefused(f"the contributions of {name} are posted already")
        directory = context.directory.current(change.session)
        rate = rulebook_of_period(directory, period).rulebook.guarantee_fund_ppm
        if rate == 0:
            raise OperatorRefused(f"the rulebook of {name} wants no contributions")
        before = risk.contributed(change.session)
        due = {}
        for average in risk.average_payables(change.session, period, MONTHS):
            share = divide_half_up(average.payable_minor * rate, PPM)
            amount = share - before.get(average.system, 0)
            if amount > 0 and directory.standing(average.system).may_issue(change.today):
                due[average.system] = (average.payable_minor, amount)
        if due:
            fund = account(AccountKind.GUARANTEE_FUND)
            entry = book(
                change,
                "contribution",
                f"contribution {name}",
                [
                    (account(AccountKind.POSITION, s), fund, amount)
                    for s, (_, amount) in due.items()
                ],
            )
            rows = [(system, average, rate, amount) for system, (average, amount) in due.items()]
            risk.add_contributions(change.session, period, rows, change.now)
            collected = [
                Allocation("risk", system, None, -amount, entry.period, entry.entry_id)
                for system, (_, amount) in due.items()
            ]
            allocations.add(change.session, collected, change.now)
        told = {directory.systems[system].code: amount for system, (_, amount) in due.items()}
        change.record("risk.contributions", f"period {name}", {"rate_ppm": rate, "amounts": told})
        return [
            Contribution(directory.systems[system].code, average, before.get(system, 0), amount)
            for system, (average, amount) in sorted(
                due.items(), key=lambda row: directory.systems[row[0]].code
            )
        ]
