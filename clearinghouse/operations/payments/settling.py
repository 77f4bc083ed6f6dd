"""From published to settled: instructions are made with publication, and a period ends when all of them are met."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.payments import Direction, Transfer, reference_of
from clearinghouse.store import frozen, outbox, periods
from clearinghouse.store.database import Session
from clearinghouse.store.payments import allocations, hold_payments, instructions
from clearinghouse.store.payments.allocations import Allocation


def instruct(
    session: Session,
    period: int,
    *,
    codes: Mapping[int, str],
    version: int,
    due_on: date,
    at: datetime,
) -> list[int]:
    """Write the instructions of a period, in the transaction that publishes it; ``codes`` are the systems' by number.

    Credit that stood on a system's account goes into its instruction. Of what a system is to be paid, its own older
    debts take what they need first (docs/decisions/0022). Return the periods of those: they may be settled by it.
    """
    hold_payments(session)
    found = instructions.transfers(session, period)
    instructions.add(
        session,
        [
            (period, one, due_on, reference_of(period, codes[system], version))
            for system, one in sorted(found.items())
        ],
    )
    made: list[Allocation] = []
    # They count in the figures of the next period: those of this one are published.
    for one in found.values():
        if one.carried_minor:
            made.append(Allocation("carry", one.system, None, -one.carried_minor, period + 1))
        made.extend(_set_off(session, period, one))
    allocations.add(session, made, at)
    return sorted({one.period for one in made if one.period is not None and one.period < period})


def _set_off(session: Session, period: int, one: Transfer) -> list[Allocation]:
    """Meet a system's older debts with what it is to be paid, the oldest first.

    How much was decided when the period was netted. What has been paid since is not needed any more, and stands as a
    credit of the system instead: its next instruction has it.
    """
    rest = one.set_off_minor
    if not rest:
        return []
    made = [Allocation("set_off", one.system, period, -rest, period + 1)]
    for debt in instructions.instructions(session, system=one.system, unpaid=True):
        amount = min(rest, debt.outstanding_minor)
        if debt.direction is Direction.IN and debt.period < period and amount:
            made.append(Allocation("set_off", one.system, debt.period, amount, period + 1))
            rest -= amount
    if rest:
        made.append(Allocation("set_off", one.system, None, rest, period + 1))
    return made


def close_if_settled(session: Session, period: int, at: datetime) -> bool:
    """Make a published period settled if every instruction of it is met, and tell its systems; tell whether it was.

    It stays settled if a payment is returned later: that is owed again, and reminded of.
    """
    if periods.state_of(session, period) != "published" or not instructions.all_met(
        session, period
    ):
        return False
    periods.advance(session, period, "settled")
    told = {"period": format_period(period)}
    for position in frozen.positions(session, period):
        outbox.add(session, at, "period.settled", told, position.system)
    outbox.add(session, at, "period.settled", told)
    return True
