"""Refunds: reverse all or part of an earlier transaction, on its own terms (domain.md §3 "Refunds").

A refund uses the rulebook version, the rates and the systems of the legs it reverses; only its period is new.
"""

from __future__ import annotations

from datetime import timedelta

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Txn
from clearinghouse.domain.case import Case, clear, pay_debts
from clearinghouse.domain.clearing import after_reversal, reversing_leg
from clearinghouse.domain.errors import RefusalCode
from clearinghouse.domain.money import earned_points
from clearinghouse.domain.pools import Lot, give_back_order, take_back
from clearinghouse.domain.rulebook import Rulebook
from clearinghouse.domain.transactions import Kind

_IN_POINTS = (Kind.AWARD, Kind.REDEEM)


def refund(case: Case) -> Txn | RefusalCode:
    """Decide a refund; its refusals in their order, then what it does to each kind of original."""
    original = _original(case)
    if isinstance(original, RefusalCode):
        return original
    rulebook = case.directory.rulebook_by_number[original.rulebook].rulebook
    days = (case.line.business_date - original.business_date).days
    if days < 0:
        return RefusalCode.REFUND_BEFORE_ORIGINAL
    if days > rulebook.refund_days_max:
        return RefusalCode.REFUND_TOO_LATE
    in_points = original.kind in _IN_POINTS
    amount = (case.line.points if in_points else case.line.amount_minor) or 0
    if amount <= 0:
        return RefusalCode.AMOUNT_NOT_POSITIVE
    whole = (original.points if in_points else original.amount_minor) or 0
    if amount + (original.refunded_points if in_points else original.refunded_minor) > whole:
        return RefusalCode.EXCEEDS_ORIGINAL
    if original.kind is Kind.LOAD and _lot(case, original).unheld < amount:
        return RefusalCode.INSUFFICIENT_STORED_VALUE

    txn = case.transaction(original.rulebook)
    txn.original, txn.original_ref = original.txn_id, original.txn_ref
    txn.points, txn.amount_minor = (amount, None) if in_points else (None, amount)
    if original.kind in (Kind.SPEND, Kind.AWARD):
        _undo_issue(case, txn, original, amount)
    elif original.kind is Kind.LOAD:
        _undo_load(case, txn, original, amount)
    else:
        _undo_use(case, txn, original, amount, rulebook)
    original.refunded_points += amount if in_points else 0
    original.refunded_minor += 0 if in_points else amount
    return txn


def _original(case: Case) -> Txn | RefusalCode:
    """Return the transaction to refund: the same host's, refundable, and of the same card."""
    reference = case.line.original_txn_ref
    known = case.books.references.get((case.host_hotel, reference)) if reference else None
    if known is None:
        return RefusalCode.ORIGINAL_UNKNOWN
    original = case.books.txns[known[1]]
    if original.kind is Kind.REFUND:
        return RefusalCode.ORIGINAL_NOT_REFUNDABLE
    if not case.card.is_same_as(original.card):
        return RefusalCode.CARD_MISMATCH
    return original


def _lot(case: Case, original: Txn) -> Lot:
    """Return the lot that a load, spend or award issued."""
    if original.lot is None:
        raise ValueError("the original issued no lot")
    return case.books.pool(original.traveller).lots[original.lot]


def _reverse_leg(case: Case, txn: Txn, original: Txn, index: int, reduction: int) -> None:
    """Reverse part of one leg of the original and keep what stands of it."""
    standing = original.standing[index]
    rulebook = case.directory.rulebook_by_number[standing.rulebook].rulebook
    leg = reversing_leg(rulebook, standing, original.txn_id, len(txn.legs) + 1, reduction)
    clear(txn, leg)
    original.standing[index] = after_reversal(standing, leg)


def _points_left(original: Txn, refunded_minor: int) -> int:
    """Return how many points of a spend stand once so much of its cash is refunded.

    What the remaining cash would have earned; of points that the host stated, pro rata, rounded down.
    """
    whole, points = original.amount_minor or 0, original.points or 0
    rest = whole - refunded_minor
    if original.earn_ppm is None:
        return points * rest // whole
    return earned_points(rest, original.earn_ppm)


def _undo_issue(case: Case, txn: Txn, original: Txn, amount: int) -> None:
    """Take back the points of a spend or award; what was spent already becomes debt to its hotel."""
    if original.kind is Kind.SPEND:
        before = _points_left(original, original.refunded_minor)
        amount, cash = before - _points_left(original, original.refunded_minor + amount), amount
        txn.points = amount
        _reverse_leg(case, txn, original, 0, cash)
    if amount == 0:
        return
    lot = _lot(case, original)
    pool = case.books.pool(original.traveller)
    taken = take_back(lot, pool.family(lot), amount, case.books.closed_through)
    holder = account(AccountKind.TRAVELLER_POINTS, txn.traveller)
    for source, part in taken.draws:
        case.books.change(source, remaining=-part)
        reversed_points = account(AccountKind.POINTS_REVERSED, source.issuer_hotel)
        txn.post(holder, reversed_points, Asset.POINT, part, source.number)
    if taken.forgiven:
        case.books.change(lot, forgiven=taken.forgiven)
    if taken.debt:
        case.books.new_debt(txn, lot, taken.debt)
        debtor = account(AccountKind.TRAVELLER_DEBT, txn.traveller)
        txn.post(
            debtor, account(AccountKind.POINTS_DEBTS, lot.issuer_hotel), Asset.POINT, taken.debt
        )


def _undo_load(case: Case, txn: Txn, original: Txn, amount: int) -> None:
    """Take back what is left of a load."""
    lot = _lot(case, original)
    case.books.change(lot, remaining=-amount)
    holder = account(AccountKind.TRAVELLER_STORED_VALUE, txn.traveller)
    issued = account(AccountKind.STORED_VALUE_ISSUED, lot.issuer_hotel)
    txn.post(holder, issued, Asset.CNY, amount, lot.number)


def _undo_use(case: Case, txn: Txn, original: Txn, amount: int, rulebook: Rulebook) -> None:
    """Return points or stored value to the lots they came from, last drawn first, and reverse the legs."""
    in_points = original.kind is Kind.REDEEM
    returned = original.refunded_points if in_points else original.refunded_minor
    by_issuer: dict[int, int] = {}
    for lot, part in give_back_order(original.draws, returned, amount):
        by_issuer[lot.issuer_hotel] = by_issuer.get(lot.issuer_hotel, 0) + part
        if in_points:
            _return_points(case, txn, lot, part, rulebook.restore_grace_days)
        else:
            case.books.change(lot, remaining=part)
            used = account(AccountKind.STORED_VALUE_USED, lot.issuer_hotel)
            holder = account(AccountKind.TRAVELLER_STORED_VALUE, txn.traveller)
            txn.post(used, holder, Asset.CNY, part, lot.number)
    for index, leg in enumerate(original.standing):
        if leg.issuer_hotel in by_issuer:
            _reverse_leg(case, txn, original, index, by_issuer[leg.issuer_hotel])


def _return_points(case: Case, txn: Txn, lot: Lot, points: int, grace_days: int) -> None:
    """Return one portion to its lot; if that has expired, to a new lot; from a restored lot it is gone."""
    issuer = lot.issuer_hotel
    reversed_points = account(AccountKind.POINTS_REVERSED, issuer)
    expired = lot.has_expired(txn.business_date, case.books.closed_through)
    if expired and lot.restored_from is not None:
        case.books.change(lot, gone=points)
        txn.post(
            reversed_points,
            account(AccountKind.POINTS_EXPIRED, issuer),
            Asset.POINT,
            points,
            lot.number,
        )
        return
    rest = points - pay_debts(case, txn, issuer, points)
    if rest == 0:
        return
    if expired:
        lot = case.books.issue_lot(
            txn,
            issuer_hotel=issuer,
            asset=Asset.POINT,
            amount=rest,
            usable_from=txn.business_date,
            expires_on=txn.business_date + timedelta(days=grace_days),
            restored_from=lot.number,
        )
    else:
        case.books.change(lot, remaining=rest)
    holder = account(AccountKind.TRAVELLER_POINTS, txn.traveller)
    txn.post(reversed_points, holder, Asset.POINT, rest, lot.number)
