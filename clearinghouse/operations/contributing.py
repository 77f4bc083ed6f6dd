"""Contributions to the guarantee fund: a share of what a system pays in an average month (domain.md §2).

A contribution is a deposit and no fee: what a system has contributed so far counts, and each month brings it up to the
share. It moves on the system's account and is collected with its next payment (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Mapping

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.calendar import format_period
from clearinghouse.operations.booking import book, must_be_two
from clearinghouse.operations.changing import Authority, Change, changing
from clearinghouse.operations.context import Context
from clearinghouse.operations.foreseeing import (
    Contribution,
    amounts_of,
    contributions_of,
    ground_of,
    must_be_as_seen,
)
from clearinghouse.store import risk
from clearinghouse.store.payments import allocations, hold_payments
from clearinghouse.store.payments.allocations import Allocation

__all__ = ["Contribution", "contribute"]


def contribute(
    context: Context,
    period: int,
    authority: Authority,
    *,
    seen: Mapping[str, object] | None = None,
) -> list[Contribution]:
    """Post the contributions of a published period; systems that owe none are left out.

    ``seen`` are the amounts that people looked at (``foreseeing.amounts_of``): others are refused.

    Raises:
        PeriodNotReady: no rulebook is in force at the end of the period.
        OperatorRefused: the period is not published, its contributions are posted, the rulebook wants none, only one
            person says so, or the amounts are not what was seen.
    """
    name = format_period(period)
    with changing(context, authority) as change:
        must_be_two(change)
        hold_payments(change.session)
        found, due, rate = contributions_of(ground_of(change), period)
        amounts = amounts_of(found)
        must_be_as_seen(amounts, seen)
        if due:
            _collect(change, name, period, due, rate)
        told = {"rate_ppm": rate, "amounts": amounts}
        change.record("risk.contributions", f"period {name}", told)
        return found


def _collect(
    change: Change, name: str, period: int, due: Mapping[int, Contribution], rate_ppm: int
) -> None:
    """Post contributions by system number; they are taken with each system's next payment."""
    fund = account(AccountKind.GUARANTEE_FUND)
    moves = [
        (account(AccountKind.POSITION, system), fund, one.amount_minor)
        for system, one in due.items()
    ]
    entry = book(change, "contribution", f"contribution {name}", moves)
    rows = [(system, one.average_minor, rate_ppm, one.amount_minor) for system, one in due.items()]
    risk.add_contributions(change.session, period, rows, change.now)
    collected = [
        Allocation("risk", system, None, -one.amount_minor, entry.period, entry.entry_id)
        for system, one in due.items()
    ]
    allocations.add(change.session, collected, change.now)
