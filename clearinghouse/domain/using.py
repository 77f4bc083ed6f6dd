"""Using what a pool holds: redemptions and stored value, refused, planned or carried out (domain.md §3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Txn
from clearinghouse.domain.case import Case, clear
from clearinghouse.domain.clearing import leg_of
from clearinghouse.domain.directory import RulebookInForce
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.holdings import unheld
from clearinghouse.domain.pools import Draw, Lot
from clearinghouse.domain.reaching import Reach
from clearinghouse.domain.transactions import Kind


def use_pool(case: Case) -> Txn | RefusalCode:
    """Points or stored value used at the host: one leg per issuing hotel of the lots drawn."""
    plan = plan_use(case)
    return plan if isinstance(plan, RefusalCode) else use(case, plan)


class Plan(NamedTuple):
    """How points or stored value are to be drawn, under which rulebook."""

    amount: int
    draws: list[Draw]
    in_force: RulebookInForce


def plan_use(case: Case) -> Plan | RefusalCode:
    """Plan a redemption or a use of stored value; nothing is changed yet (§3 "Drawing on lots")."""
    in_points = case.kind is Kind.REDEEM
    amount = (case.line.points if in_points else case.line.amount_minor) or 0
    if amount <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    in_force, date = case.in_force, case.line.business_date
    refused = may_use(case, in_points=in_points)
    if in_force is None or refused is not None:
        return refused or RefusalCode.RULEBOOK_NOT_ACCEPTED
    pool = case.books.pool(case.card.traveller)
    usable = pool.usable(Asset.POINT if in_points else Asset.CNY, date, case.books.closed_through)
    reach = Reach.of(case, in_force.rulebook, in_points=in_points)
    good: Sequence[Lot] = usable
    honoured = good
    if case.directory.standings:
        good = reach.good(usable)
        honoured = reach.honoured(good)
    total = unheld(honoured)
    draws = reach.take(honoured, min(amount, total))
    refused = may_draw(case, draws)
    if refused is not None:
        return refused
    owed = pool.owed_on(date) if in_points else 0
    if amount > (total if good is honoured else unheld(good)) - owed:
        return (
            RefusalCode.INSUFFICIENT_POINTS if in_points else RefusalCode.INSUFFICIENT_STORED_VALUE
        )
    if case.books.limits is not None or amount > total - owed:
        within = reach.within_limits(honoured, amount, owed)
        if within is None:
            return RefusalCode.NET_DEBIT_CAP_EXCEEDED
        draws = within
    return Plan(amount, draws, in_force)


def may_use(case: Case, *, in_points: bool) -> RefusalCode | None:
    """Return why nothing of this kind may be used on the business date, if there is a reason (§2)."""
    if in_points:
        return None if case.in_force is not None else RefusalCode.RULEBOOK_NOT_ACCEPTED
    licensed = case.in_force is not None and case.in_force.rulebook.licensed_on(
        case.line.business_date
    )
    return None if licensed else RefusalCode.STORED_VALUE_NOT_LICENSED


def may_draw(case: Case, draws: Sequence[Draw]) -> RefusalCode | None:
    """Return why a host that may not cross can't draw so: it hosts only what its own system issued (§2, §4)."""
    refused = case.refuse_to_cross()
    if refused is None or all(case.is_own_system(lot.issuer_hotel) for lot, _ in draws):
        return None
    return refused


def use(case: Case, plan: Plan) -> Txn:
    """Carry out a planned use: lower the lots, post them, and clear one leg per issuing hotel."""
    in_points = case.kind is Kind.REDEEM
    txn = case.transaction(plan.in_force.number)
    txn.points, txn.amount_minor = (plan.amount, None) if in_points else (None, plan.amount)
    txn.draws = plan.draws
    asset = Asset.POINT if in_points else Asset.CNY
    holder = AccountKind.TRAVELLER_POINTS if in_points else AccountKind.TRAVELLER_STORED_VALUE
    used = AccountKind.POINTS_REDEEMED if in_points else AccountKind.STORED_VALUE_USED
    by_issuer: dict[int, int] = {}
    for lot, amount in plan.draws:
        case.books.change(lot, remaining=-amount)
        by_issuer[lot.issuer_hotel] = by_issuer.get(lot.issuer_hotel, 0) + amount
        txn.post(
            account(holder, txn.traveller),
            account(used, lot.issuer_hotel),
            asset,
            amount,
            lot.number,
        )
    for leg_no, (issuer_hotel, amount) in enumerate(by_issuer.items(), start=1):
        leg = leg_of(
            plan.in_force.rulebook,
            plan.in_force.number,
            leg_no=leg_no,
            fee_kind="redeem" if in_points else "stored_value",
            issuer_hotel=issuer_hotel,
            issuer_system=case.issuer_system(issuer_hotel),
            host_system=case.host_system,
            points=amount if in_points else None,
            amount_minor=None if in_points else amount,
        )
        clear(txn, leg)
    return txn
