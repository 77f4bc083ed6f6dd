"""Authorisation: holding lots for a redemption or a use of stored value, and using what is held (domain.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from clearinghouse.domain.books import Txn
from clearinghouse.domain.case import Case
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.domain.transactions import Kind
from clearinghouse.domain.using import Plan, may_use, plan_use, use

_HOLDABLE = (Kind.REDEEM, Kind.STORED_VALUE_SPEND)
_ENDED: Mapping[HoldState, RefusalCode] = {
    HoldState.CAPTURED: RefusalCode.HOLD_ALREADY_CAPTURED,
    HoldState.VOIDED: RefusalCode.HOLD_ALREADY_VOIDED,
    HoldState.EXPIRED: RefusalCode.HOLD_EXPIRED,
}


def hold(case: Case) -> Hold | RefusalCode:
    """Plan a use and make the authorisation that holds it; the caller enters it in the books."""
    if case.kind not in _HOLDABLE:
        return RefusalCode.KIND_UNKNOWN
    plan = plan_use(case)
    if isinstance(plan, RefusalCode):
        return plan
    line, now = case.line, case.books.now
    return Hold(
        auth_id=case.new_id(case.period()),
        host_hotel=case.host_hotel,
        host_system=case.host_system,
        txn_ref=line.txn_ref,
        content=case.content,
        kind=case.kind,
        card=case.card.number,
        traveller=case.card.traveller,
        business_date=line.business_date,
        occurred_at=line.occurred_at,
        rulebook=plan.in_force.number,
        amount=plan.amount,
        parts=plan.draws,
        held_at=now,
        expires_at=now + timedelta(minutes=plan.in_force.rulebook.hold_minutes),
    )


def refusal_of_ended(hold: Hold) -> RefusalCode | None:
    """Return why a hold can be neither captured nor voided any more; ``None`` while it stands."""
    return _ENDED.get(hold.state)


def capture(case: Case, hold: Hold) -> Txn | RefusalCode:
    """Use all or part of a hold, once; the rest of it is free again.

    What is held is used even if its last day has passed meanwhile: that is what it was held for. A leg is
    judged as always, by the rulebook and the memberships on the capture's own business date.
    """
    in_points = case.kind is Kind.REDEEM
    amount = (case.line.points if in_points else case.line.amount_minor) or 0
    if amount <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    if amount > hold.amount:
        return RefusalCode.EXCEEDS_HOLD
    refused = may_use(case, in_points=in_points)
    if case.in_force is None or refused is not None:
        return refused or RefusalCode.RULEBOOK_NOT_ACCEPTED
    # What was held before a cap was reached or a system suspended is captured: its host has relied on it (0023).
    draws = hold.first(amount)
    if not case.has_accepted() and not all(case.is_own_system(d.lot.issuer_hotel) for d in draws):
        return RefusalCode.RULEBOOK_NOT_ACCEPTED
    case.books.end_hold(hold, HoldState.CAPTURED, case.books.now)
    txn = use(case, Plan(amount, draws, case.in_force))
    hold.captured, hold.txn_id = amount, txn.txn_id
    return txn
