"""What each kind of transaction does, refunds apart: refuse, or make the transaction (domain.md §3)."""

from __future__ import annotations

from datetime import timedelta

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Txn
from clearinghouse.domain.calendar import end_of_month_after
from clearinghouse.domain.case import Case, clear, pay_debts
from clearinghouse.domain.clearing import leg_of
from clearinghouse.domain.directory import RulebookInForce
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.money import earned_points
from clearinghouse.domain.pools import Draw, draw, draw_oldest
from clearinghouse.domain.treatment import treatment


def spend(case: Case) -> Txn | RefusalCode:
    """Cash paid at the host, who issues points: one leg against the card issuer, only for the fee."""
    line, in_force = case.line, case.in_force
    amount = line.amount_minor or 0
    if amount <= 0 or (line.points is not None and line.points < 0):
        return RefusalCode.AMOUNT_NOT_POSITIVE
    cross = case.card_system != case.host_system
    if in_force is None or (cross and not case.may_cross()):
        return RefusalCode.RULEBOOK_NOT_ACCEPTED
    rulebook = in_force.rulebook
    txn = case.transaction(in_force.number)
    txn.amount_minor = amount
    points = line.points
    if points is None:
        tier = treatment(
            case.directory, case.host_system, case.card, case.card_tier, line.business_date
        )
        txn.earn_ppm = tier.earn_ppm if tier else 0
        points = earned_points(amount, txn.earn_ppm)
    _issue_points(case, txn, points, rulebook.points_pending_days, rulebook.points_expiry_months)
    leg = leg_of(
        rulebook,
        in_force.number,
        leg_no=1,
        fee_kind="spend",
        issuer_hotel=case.card.issuer_hotel,
        issuer_system=case.card_system,
        host_system=case.host_system,
        amount_minor=amount,
    )
    clear(txn, leg)
    return txn


def award(case: Case) -> Txn | RefusalCode:
    """Points given by the host; nothing is cleared."""
    points = case.line.points or 0
    if points <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    if case.in_force is None:
        return RefusalCode.RULEBOOK_NOT_ACCEPTED
    txn = case.transaction(case.in_force.number)
    _issue_points(case, txn, points, 0, case.in_force.rulebook.points_expiry_months)
    return txn


def redeem(case: Case) -> Txn | RefusalCode:
    """Points used at the host: one leg per issuing hotel of the lots drawn."""
    points, in_force, books = case.line.points or 0, case.in_force, case.books
    if points <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    if in_force is None:
        return RefusalCode.RULEBOOK_NOT_ACCEPTED
    pool = books.pool(case.card.traveller)
    date = case.line.business_date
    usable = pool.usable(Asset.POINT, date, books.closed_through)
    total = sum(lot.unheld for lot in usable)
    order = in_force.rulebook.draw_order
    draws = draw(usable, min(points, total), order, case.is_own_system) or []
    if not _may_draw(case, draws):
        return RefusalCode.RULEBOOK_NOT_ACCEPTED
    if points > total - pool.owed_on(date):
        return RefusalCode.INSUFFICIENT_POINTS
    txn = case.transaction(in_force.number)
    txn.points = points
    _use(case, txn, draws, in_force, in_points=True)
    return txn


def load(case: Case) -> Txn | RefusalCode:
    """Cash taken by the host, who issues stored value; only inside the card issuer's system."""
    line, in_force = case.line, case.in_force
    amount = line.amount_minor or 0
    if amount <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    if case.card_system != case.host_system:
        return RefusalCode.LOAD_ONLY_AT_ISSUER_SYSTEM
    if in_force is None or not in_force.rulebook.licensed_on(line.business_date):
        return RefusalCode.STORED_VALUE_NOT_LICENSED
    txn = case.transaction(in_force.number)
    txn.amount_minor = amount
    lot = case.books.issue_lot(
        txn,
        issuer_hotel=case.host_hotel,
        asset=Asset.CNY,
        amount=amount,
        usable_from=line.business_date,
        expires_on=None,
    )
    txn.lot = lot.number
    issued = account(AccountKind.STORED_VALUE_ISSUED, case.host_hotel)
    traveller = account(AccountKind.TRAVELLER_STORED_VALUE, txn.traveller)
    txn.post(issued, traveller, Asset.CNY, amount, lot.number)
    return txn


def stored_value_spend(case: Case) -> Txn | RefusalCode:
    """Stored value used at the host, oldest first: one leg per issuing hotel."""
    line, in_force, books = case.line, case.in_force, case.books
    amount = line.amount_minor or 0
    if amount <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    if in_force is None or not in_force.rulebook.licensed_on(line.business_date):
        return RefusalCode.STORED_VALUE_NOT_LICENSED
    pool = books.pool(case.card.traveller)
    usable = pool.usable(Asset.CNY, line.business_date, books.closed_through)
    total = sum(lot.unheld for lot in usable)
    draws = draw_oldest(usable, min(amount, total)) or []
    if not _may_draw(case, draws):
        return RefusalCode.RULEBOOK_NOT_ACCEPTED
    if amount > total:
        return RefusalCode.INSUFFICIENT_STORED_VALUE
    txn = case.transaction(in_force.number)
    txn.amount_minor = amount
    _use(case, txn, draws, in_force, in_points=False)
    return txn


def _may_draw(case: Case, draws: list[Draw]) -> bool:
    """A system that has not accepted the rulebook in force hosts only what its own system issued (§2)."""
    return case.may_cross() or all(case.is_own_system(lot.issuer_hotel) for lot, _ in draws)


def _use(
    case: Case, txn: Txn, draws: list[Draw], in_force: RulebookInForce, *, in_points: bool
) -> None:
    """Carry out planned draws: lower the lots, post them, and clear one leg per issuing hotel."""
    txn.draws = draws
    asset = Asset.POINT if in_points else Asset.CNY
    holder = AccountKind.TRAVELLER_POINTS if in_points else AccountKind.TRAVELLER_STORED_VALUE
    used = AccountKind.POINTS_REDEEMED if in_points else AccountKind.STORED_VALUE_USED
    by_issuer: dict[int, int] = {}
    for lot, amount in draws:
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
            in_force.rulebook,
            in_force.number,
            leg_no=leg_no,
            fee_kind="redeem" if in_points else "stored_value",
            issuer_hotel=issuer_hotel,
            issuer_system=case.issuer_system(issuer_hotel),
            host_system=case.host_system,
            points=amount if in_points else None,
            amount_minor=None if in_points else amount,
        )
        clear(txn, leg)


def _issue_points(case: Case, txn: Txn, points: int, pending_days: int, expiry_months: int) -> None:
    """Issue points of the host; they first repay a debt to it."""
    txn.points = points
    if points == 0:
        return
    date = txn.business_date
    lot = case.books.issue_lot(
        txn,
        issuer_hotel=txn.host_hotel,
        asset=Asset.POINT,
        amount=points,
        usable_from=date + timedelta(days=pending_days),
        expires_on=end_of_month_after(date, expiry_months),
    )
    txn.lot = lot.number
    traveller = account(AccountKind.TRAVELLER_POINTS, txn.traveller)
    issued = account(AccountKind.POINTS_ISSUED, txn.host_hotel)
    txn.post(issued, traveller, Asset.POINT, points, lot.number)
    paid = pay_debts(case, txn, txn.host_hotel, points)
    reversed_points = account(AccountKind.POINTS_REVERSED, txn.host_hotel)
    txn.post(traveller, reversed_points, Asset.POINT, paid, lot.number)
    lot.remaining -= paid
