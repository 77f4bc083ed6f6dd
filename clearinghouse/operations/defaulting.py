"""A debtor that has not paid by its due date: the waterfall, and the way back (domain.md §4 "Risk").

Its account keeps the whole debt. Its collateral meets a part of it; what the guarantee fund and the creditors of that
run bear is kept as their claims, and stands on their statements. What the defaulter pays later, in money or by what it
earns as host, clears the claims in the reverse order; if that money is gone again, they are open again
(docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Mapping

from clearinghouse.domain.accounts import AccountKind, account
from clearinghouse.domain.entries import Entry
from clearinghouse.domain.standing import Step
from clearinghouse.domain.waterfall import Loss, Recovery
from clearinghouse.operations.booking import book, must_be_two
from clearinghouse.operations.changing import Authority, Change, changing
from clearinghouse.operations.context import Context
from clearinghouse.operations.foreseeing import (
    Declared,
    HandedOn,
    default_of,
    ground_of,
    must_be_as_seen,
    recovery_of,
)
from clearinghouse.operations.payments.settling import close_if_settled
from clearinghouse.operations.telling_risk import record_standing, tell_of_claims
from clearinghouse.store import risk
from clearinghouse.store.payments import allocations, hold_payments
from clearinghouse.store.payments.allocations import Allocation
from clearinghouse.store.payments.instructions import Instruction
from clearinghouse.store.risk import FUND, DefaultRow
from clearinghouse.store.standings import RecordedStep

__all__ = ["Declared", "HandedOn", "declare_default", "recover"]

_FUND_ACCOUNT, _FUND_CLAIM = account(AccountKind.GUARANTEE_FUND), account(AccountKind.CLAIM, FUND)


def declare_default(
    context: Context,
    code: str,
    period: int,
    authority: Authority,
    *,
    seen: Mapping[str, object] | None = None,
) -> Declared:
    """Let the waterfall run for what a system has not paid of a period, and suspend the system.

    ``seen`` are the figures that people looked at when they agreed to it (:attr:`Declared.figures`): others are
    refused.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: it owes nothing for that period or in all, or not yet; it is in default for it already; only
            one person says so; or the figures are not what was seen.
    """
    with changing(context, authority) as change:
        must_be_two(change)
        hold_payments(change.session)
        found, debt, owed = default_of(ground_of(change), code, period)
        must_be_as_seen(found.figures, seen)
        loss = found.loss
        _post_loss(change, debt, loss, owed, f"default {code} {found.period}")
        claims = {FUND: loss.fund_minor} if loss.fund_minor else {}
        row = DefaultRow(
            0, period, debt.system, found.unpaid_minor, loss.collateral_minor, loss.fund_minor,
            loss.haircut_minor, loss.borne_minor, change.now,
        )  # fmt: skip
        risk.add_default(change.session, row, {**claims, **loss.haircuts})
        _suspend(change, debt.system, code, f"default on the net of {found.period}")
        tell_of_claims(change, code, period, loss.haircuts, paid=False)
        told = {"period": found.period, **found.figures}
        change.record("risk.default", f"system {code}", told)
        return found


def recover(
    context: Context,
    code: str,
    period: int,
    authority: Authority,
    *,
    seen: Mapping[str, object] | None = None,
) -> HandedOn:
    """Hand on what a defaulter has paid since its default on a period: to the creditors, then to the fund.

    If what had been handed on was returned, or a match of it undone, it is taken back in the reverse order: the claims
    are open again, and the system is suspended again. ``seen`` are the figures that people looked at
    (:attr:`HandedOn.figures`): others are refused.

    Raises:
        NotFound: there is no such system.
        OperatorRefused: there was no such default, nothing more has been paid, the fund has not got what it is to give
            back, only one person says so, or the figures are not what was seen.
    """
    with changing(context, authority) as change:
        must_be_two(change)
        hold_payments(change.session)
        found, default = recovery_of(ground_of(change), code, period)
        must_be_as_seen(found.figures, seen)
        share = found.share
        if share.paid_minor < 0:
            reason = f"default on the net of {found.period}: what it paid is gone"
            _suspend(change, default.system, code, reason)
        _post_recovery(change, share, f"recovery {code} {found.period}")
        risk.add_recovery(change.session, default.number, share, change.now)
        changed = {system: abs(amount) for system, amount in share.claims.items()}
        tell_of_claims(change, code, period, changed, paid=share.paid_minor > 0)
        told = {"period": found.period, **found.figures, "left_minor": found.left_minor}
        change.record("risk.recover", f"system {code}", told)
        return found


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
