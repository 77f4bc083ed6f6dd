"""What the kinds that issue do: refuse, or make the transaction (domain.md §3)."""

from __future__ import annotations

from datetime import timedelta

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Txn
from clearinghouse.domain.calendar import end_of_month_after
from clearinghouse.domain.case import Case, clear, pay_debts
from clearinghouse.domain.clearing import leg_of
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.money import earned_points
from clearinghouse.domain.treatment import treatment


def spend(case: Case) -> Txn | RefusalCode:
    """Cash paid at the host, who issues points: one leg against the card issuer, only for the fee."""
    line, in_force = case.line, case.in_force
    amount = line.amount_minor or 0
    if amount <= 0 or (line.points is not None and line.points < 0):
        return RefusalCode.AMOUNT_NOT_POSITIVE
    cross = case.card_system != case.host_system
    refused = case.refuse_to_cross() if cross else case.refuse_to_issue()
    if in_force is None or refused is not None:
        return refused or RefusalCode.RULEBOOK_NOT_ACCEPTED
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
    refused = case.refuse_to_issue()
    if case.in_force is None or refused is not None:
        return refused or RefusalCode.RULEBOOK_NOT_ACCEPTED
    txn = case.transaction(case.in_force.number)
    _issue_points(case, txn, points, 0, case.in_force.rulebook.points_expiry_months)
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
    refused = case.refuse_to_issue()
    if refused is not None:
        return refused
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
