"""Suspending, reinstating and letting go of a member, two people at a time (domain.md §2, §4 "Risk")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.domain.accounts import AccountKind
from clearinghouse.domain.calendar import format_period, period_of
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.money import yuan
from clearinghouse.domain.standing import Step, run_off_end
from clearinghouse.operations.booking import must_be_two, system_number
from clearinghouse.operations.breakage import end_all
from clearinghouse.operations.changing import Authority, Change, changing, fit_authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.telling_risk import record_standing
from clearinghouse.store import exposure, risk, run_off
from clearinghouse.store.database import Session
from clearinghouse.store.periods import hold_period
from clearinghouse.store.run_off import Outstanding
from clearinghouse.store.standings import RecordedStep


@dataclass(frozen=True, slots=True)
class Leaving:
    """A withdrawal: its dates, what is outstanding and what that may cost, and the collateral that covers it; fen."""

    system: str
    withdrawn_on: date
    run_off_until: date
    outstanding: Outstanding
    worth_minor: int
    collateral_minor: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What was left after a run-off: the points that ended, and what is still there because it is held or money."""

    system: str
    points: int
    left: Outstanding


def suspend(context: Context, code: str, authority: Authority) -> None:
    """Keep a system from hosting others and its lots from being drawn on elsewhere; its own life goes on.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is suspended already, or only one person says so.
    """
    with changing(context, authority) as change:
        must_be_two(change)
        system = system_number(change, code)
        if context.directory.current(change.session).standing(system).suspended:
            raise OperatorRefused(f"{code} is suspended already")
        _record(change, system, code, Step.SUSPENDED, "system.suspend")


def reinstate(context: Context, code: str, authority: Authority) -> None:
    """Let a suspended system take part again.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is not suspended, it still owes what is overdue, a claim on it is open, or only one person
            says so.
    """
    with changing(context, authority) as change:
        must_be_two(change)
        system = system_number(change, code)
        if not context.directory.current(change.session).standing(system).suspended:
            raise OperatorRefused(f"{code} is not suspended")
        overdue = risk.overdue(change.session, change.today).get(system, 0)
        if overdue:
            raise OperatorRefused(f"{code} has not paid {yuan(overdue)} yuan that are overdue")
        for default in risk.defaults(change.session, system):
            if risk.outstanding_claims(change.session, default.number):
                name = format_period(default.period)
                raise OperatorRefused(
                    f"claims on {code} from its default on {name} are open; hand on what it has paid first"
                )
        _record(change, system, code, Step.REINSTATED, "system.reinstate")


def withdraw(
    context: Context,
    code: str,
    withdrawn_on: date,
    authority: Authority,
    *,
    uncovered: bool = False,
) -> Leaving:
    """Let a system leave on a business date: from then on it neither issues nor hosts others.

    What it has issued stays good to the end of the run-off, as far as its collateral reaches. So that must cover what
    is outstanding, unless the operator says ``uncovered``.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is leaving already, the date lies before today or in a closed month, no rulebook is in
            force then, its collateral does not cover what is outstanding, or only one person says so.
    """
    with changing(context, authority) as change:
        must_be_two(change)
        system = system_number(change, code)
        directory = context.directory.current(change.session)
        if directory.standing(system).withdrawn_on is not None:
            raise OperatorRefused(f"{code} is leaving already")
        if withdrawn_on < change.today:
            raise OperatorRefused(f"{code} can't leave on {withdrawn_on}: that day is over")
        change.must_be_open(f"the withdrawal of {code}", withdrawn_on)
        in_force = directory.rulebook_on(withdrawn_on)
        if in_force is None:
            raise OperatorRefused(f"no rulebook is in force on {withdrawn_on}")
        until = run_off_end(withdrawn_on, in_force.rulebook.run_off_months)
        left = run_off.outstanding(change.session, system, change.today)
        debit = max(exposure.debits(change.session).get(system, 0), 0)
        worth = left.worth_minor(in_force.rulebook.point_value_minor_per_100) + debit
        posted = exposure.balances(change.session, AccountKind.COLLATERAL).get(system, 0)
        if posted < worth and not uncovered:
            raise OperatorRefused(
                f"{code} has posted {yuan(posted)} yuan; what it owes and has outstanding may cost {yuan(worth)}:"
                " let it post more, or say --uncovered"
            )
        step = RecordedStep(
            Step.WITHDRAWN, withdrawn_on, until, change.now, change.authority.reason
        )
        record_standing(change, system, code, step)
        dates = {"withdrawn_on": str(withdrawn_on), "run_off_until": str(until)}
        change.record(
            "system.withdraw",
            f"system {code}",
            {**dates, "worth_minor": worth, "collateral_minor": posted, "uncovered": uncovered},
        )
        return Leaving(code, withdrawn_on, until, left, worth, posted)


def end_run_off(context: Context, code: str, authority: Authority) -> Ended:
    """End what is left of a member's points after its run-off, as breakage; safe to run again.

    Points that are held end with the next run, once they are free. Stored value is travellers' money and stays on
    record, for its issuer to pay back.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it is not leaving, its run-off is not over, or only one person says so.
    """
    fit_authority(authority)
    with changing(context, authority) as change:
        must_be_two(change)
        system = system_number(change, code)
        standing = context.directory.current(change.session).standing(system)
        if standing.run_off_until is None:
            raise OperatorRefused(f"{code} has not left")
        if not standing.is_over(change.today):
            raise OperatorRefused(f"the run-off of {code} lasts until {standing.run_off_until}")
        today = change.today

    def entry(session: Session) -> Entry:
        period = hold_period(session, period_of(today))
        return Entry(context.new_id(period), period, "expiry", today)

    points = end_all(context, lambda session: run_off.points_to_end(session, system, today), entry)
    with changing(context, authority) as change:
        left = run_off.outstanding(change.session, system, today)
        told = {"points": points, "held_points": left.held_points}
        change.record("system.end-run-off", f"system {code}", told)
    return Ended(code, points, left)


def _record(change: Change, system: int, code: str, step: Step, action: str) -> None:
    reason = change.authority.reason
    record_standing(change, system, code, RecordedStep(step, None, None, change.now, reason))
    change.record(action, f"system {code}", {})
