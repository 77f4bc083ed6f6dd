"""A debtor that has not paid by its due date: the waterfall, and the way back (domain.md §4 "Risk").

Its account keeps the whole debt. Its collateral meets a part of it; what the guarantee fund and the creditors of that
run bear is kept as their claims, and stands on their statements. What the defaulter pays later, in money or by what it
earns as host, clears the claims in the reverse order; if that money is gone again, they are open again
(docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.expiring import Entry
from clearinghouse.domain.money import yuan
from clearinghouse.domain.payments import Direction
from clearinghouse.domain.standing import Step
from clearinghouse.domain.waterfall import Loss, Recovery, recovery, taken_back, waterfall
from clearinghouse.operations.booking import book, must_be_two, system_number
from clearinghouse.operations.changing import Authority, Change, changing
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments.settling import close_if_settled
from clearinghouse.operations.telling_risk import record_standing, tell_of_claims
from clearinghouse.store import exposure, risk
from clearinghouse.store.payments import allocations, hold_payments, instructions
from clearinghouse.store.payments.allocations import Allocation
from clearinghouse.store.payments.instructions import Instruction
from clearinghouse.store.risk import FUND, DefaultRow
from clearinghouse.store.standings import RecordedStep

_FUND_ACCOUNT, _FUND_CLAIM = account(AccountKind.GUARANTEE_FUND), account(AccountKind.CLAIM, FUND)


@dataclass(frozen=True, slots=True)
class Declared:
    """A default: what was unpaid and who bears it, in fen; ``haircuts`` by system code."""

    period: str
    system: str
    unpaid_minor: int
    loss: Loss
    haircuts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What a defaulter has paid since and who got it, in fen; ``claims`` by system code. Below zero: taken back.

    ``left_minor`` of that period's net is still owed.
    """

    period: str
    system: str
    paid_minor: int
    share: Recovery
    claims: Mapping[str, int]
    left_minor: int


def declare_default(context: Context, code: str, period: int, authority: Authority) -> Declared:
    """Let the waterfall run for what a system has not paid of a period, and suspend the system.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it owes nothing for that period or in all, or not yet; it is in default for it already; or
            only one person says so.
    """
    name = format_period(period)
    with changing(context, authority) as change:
        must_be_two(change)
        system = system_number(change, code)
        hold_payments(change.session)
        owed = instructions.instructions(change.session, period=period)
        debt = _overdue(change, owed, system, code, name)
        unpaid = _unpaid(change, debt, code)
        loss = waterfall(
            unpaid,
            _backed_collateral(change, system),
            _fund(change),
            _creditors(change, owed, period),
        )
        _post_loss(change, debt, loss, owed, f"default {code} {name}")
        claims = {FUND: loss.fund_minor} if loss.fund_minor else {}
        row = DefaultRow(
            0, period, system, unpaid, loss.collateral_minor, loss.fund_minor,
            loss.haircut_minor, loss.borne_minor, change.now,
        )  # fmt: skip
        risk.add_default(change.session, row, {**claims, **loss.haircuts})
        codes = _by_code(change, loss.haircuts)
        _suspend(change, system, code, f"default on the net of {name}")
        tell_of_claims(change, code, period, loss.haircuts, paid=False)
        change.record(
            "risk.default",
            f"system {code}",
            {
                "period": name,
                "unpaid_minor": unpaid,
                "collateral_minor": loss.collateral_minor,
                "fund_minor": loss.fund_minor,
                "haircuts": codes,
                "borne_minor": loss.borne_minor,
            },
        )
        return Declared(name, code, unpaid, loss, codes)


def recover(context: Context, code: str, period: int, authority: Authority) -> HandedOn:
    """Hand on what a defaulter has paid since its default on a period: to the creditors, then to the fund.

    If what had been handed on was returned, or a match of it undone, it is taken back in the reverse order: the claims
    are open again, and the system is suspended again.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: there was no such default, nothing more has been paid, the fund has not got what it is to give
            back, or only one person says so.
    """
    name = format_period(period)
    with changing(context, authority) as change:
        must_be_two(change)
        system = system_number(change, code)
        hold_payments(change.session)
        default = risk.default_of(change.session, period, system)
        if default is None:
            raise OperatorRefused(f"{code} was not in default on {name}")
        before = risk.recovered(change.session, default.number)
        (debt,) = instructions.instructions(change.session, period=period, system=system)
        met_before = debt.amount_minor - default.unpaid_minor + default.collateral_minor
        paid = max(debt.confirmed_minor - met_before, 0) - before.paid_minor
        if paid == 0:
            raise OperatorRefused(f"{code} has paid nothing more for {name}")
        claims = risk.outstanding_claims(change.session, default.number)
        to_fund = claims.pop(FUND, 0)
        if paid > 0:
            share = recovery(paid, claims, to_fund, default.borne_minor - before.kept_minor)
        else:
            share = taken_back(-paid, before, _fund(change))
            if share.paid_minor == 0:
                raise OperatorRefused(
                    "the guarantee fund has nothing now of what it is to give back"
                )
            _suspend(change, system, code, f"default on the net of {name}: what it paid is gone")
        _post_recovery(change, share, f"recovery {code} {name}")
        risk.add_recovery(change.session, default.number, share, change.now)
        codes = _by_code(change, share.claims)
        changed = {system: abs(amount) for system, amount in share.claims.items()}
        tell_of_claims(change, code, period, changed, paid=paid > 0)
        left = debt.outstanding_minor
        change.record(
            "risk.recover",
            f"system {code}",
            {
                "period": name,
                "paid_minor": share.paid_minor,
                "claims": codes,
                "fund_minor": share.fund_minor,
                "kept_minor": share.kept_minor,
                "left_minor": left,
            },
        )
        return HandedOn(name, code, share.paid_minor, share, codes, left)


def _overdue(
    change: Change, owed: list[Instruction], system: int, code: str, name: str
) -> Instruction:
    """Return what a system was to pay for a period and has not, once it is overdue."""
    found = next((one for one in owed if one.system == system), None)
    if found is None or found.direction is not Direction.IN or found.outstanding_minor <= 0:
        raise OperatorRefused(f"{code} owes nothing for {name}")
    if found.due_on >= change.today:
        raise OperatorRefused(
            f"what {code} owes for {name} is due on {found.due_on}: not yet overdue"
        )
    if risk.default_of(change.session, found.period, system) is not None:
        raise OperatorRefused(f"{code} is in default on {name} already")
    return found


def _unpaid(change: Change, debt: Instruction, code: str) -> int:
    """Return what of an overdue debt can be in default: no more than the system owes in all that is overdue.

    What is its own counts first: credit that stands on its account, what it is still to be paid. What others have
    advanced for it already is in default.
    """
    owed = risk.overdue(change.session, change.today).get(debt.system, 0)
    own = instructions.credits_of(change.session).get(debt.system, 0) + sum(
        one.outstanding_minor
        for one in instructions.instructions(change.session, system=debt.system, unpaid=True)
        if one.direction is Direction.OUT
    )
    unpaid = min(owed - own - risk.advanced(change.session, debt.system), debt.outstanding_minor)
    if unpaid <= 0:
        raise OperatorRefused(
            f"{code} owes nothing in all: {yuan(owed)} yuan are overdue, and {yuan(own)} yuan are its own,"
            " as credit on its account or still to be paid to it"
        )
    return unpaid


def _backed_collateral(change: Change, system: int) -> int:
    """Return the collateral of a system whose money is there, by lines of the bank that are tied to it."""
    posted = exposure.balances(change.session, AccountKind.COLLATERAL).get(system, 0)
    return min(posted, risk.backed_collateral(change.session).get(system, 0))


def _fund(change: Change) -> int:
    return exposure.balances(change.session, AccountKind.GUARANTEE_FUND).get(0, 0)


def _creditors(change: Change, owed: list[Instruction], period: int) -> dict[int, int]:
    """Return what the creditors of a run were to be paid for it, less what they bear of its defaults already."""
    borne = risk.borne_for(change.session, period)
    found = {
        one.system: min(one.net_minor, one.amount_minor) - borne.get(one.system, 0)
        for one in owed
        if one.direction is Direction.OUT
    }
    return {system: amount for system, amount in found.items() if amount > 0}


def _post_loss(
    change: Change, debt: Instruction, loss: Loss, owed: list[Instruction], reference: str
) -> None:
    """Post each step of the waterfall as an entry of its own, and what it does to the instructions of the run."""
    last: Entry | None = None
    if loss.collateral_minor:
        sides = account(AccountKind.COLLATERAL, debt.system), _position(debt.system)
        last = book(change, "collateral", reference, [(*sides, loss.collateral_minor)])
        _meet(change, last, debt.system, debt.period, loss.collateral_minor)
    if loss.fund_minor:
        sides = _FUND_ACCOUNT, _FUND_CLAIM
        last = book(change, "fund_drawn", reference, [(*sides, loss.fund_minor)])
        _cover(change, debt, loss.fund_minor, last)
    if loss.haircuts:
        cuts = [
            (_position(system), account(AccountKind.CLAIM, system), amount)
            for system, amount in loss.haircuts.items()
        ]
        last = book(change, "haircut", reference, cuts)
        still_due = {one.system: one.outstanding_minor for one in owed}
        for system, amount in loss.haircuts.items():
            # Who was paid in full already goes on owing its share: it is taken from what it is paid next.
            part = min(amount, still_due[system])
            _meet(change, last, system, debt.period, -part)
            _meet(change, last, system, None, part - amount)
    if last is not None:
        _cover(change, debt, loss.haircut_minor + loss.borne_minor, last)
    close_if_settled(change.session, debt.period, change.now)


def _post_recovery(change: Change, share: Recovery, reference: str) -> None:
    """Post what is handed on; what is taken back the other way round."""
    if share.claims:
        paid = [
            _move(account(AccountKind.CLAIM, system), _position(system), amount)
            for system, amount in share.claims.items()
        ]
        entry = book(change, "claim_payment", reference, paid)
        for system, amount in share.claims.items():
            # A credit of the creditor's, which its next payment brings.
            _meet(change, entry, system, None, amount)
    if share.fund_minor:
        paid = [_move(_FUND_CLAIM, _FUND_ACCOUNT, share.fund_minor)]
        book(change, "fund_replenished", reference, paid)


def _move(debit: int, credit: int, amount_minor: int) -> tuple[int, int, int]:
    return (debit, credit, amount_minor) if amount_minor > 0 else (credit, debit, -amount_minor)


def _suspend(change: Change, system: int, code: str, reason: str) -> None:
    if change.context.directory.current(change.session).standing(system).suspended:
        return
    step = RecordedStep(Step.SUSPENDED, None, None, change.now, reason)
    record_standing(change, system, code, step)


def _meet(change: Change, entry: Entry, system: int, period: int | None, amount_minor: int) -> None:
    """Count what an entry did to a system's account: it met an instruction, or (``None``) stands as its credit."""
    if amount_minor:
        found = Allocation("risk", system, period, amount_minor, entry.period, entry.entry_id)
        allocations.add(change.session, [found], change.now)


def _cover(change: Change, debt: Instruction, amount_minor: int, entry: Entry) -> None:
    if amount_minor:
        allocations.add_cover(
            change.session, debt.period, debt.system, amount_minor, entry.entry_id, change.now
        )


def _position(system: int) -> int:
    return account(AccountKind.POSITION, system)


def _by_code(change: Change, amounts: Mapping[int, int]) -> dict[str, int]:
    systems = change.context.directory.current(change.session).systems
    return {systems[system].code: amount for system, amount in amounts.items()}
