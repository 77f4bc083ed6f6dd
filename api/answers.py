"""What a host is told of its transactions and authorisations, as JSON: every figure with its reason."""

from __future__ import annotations

import json
from typing import Any

from api.schemas.base import money, write_moment
from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.directory import Directory
from clearinghouse.domain.holds import Hold, HoldState
from clearinghouse.domain.money import yuan
from clearinghouse.domain.rulebook import FeeRule
from clearinghouse.domain.transactions import Kind
from clearinghouse.operations.receipts import LegTold, LotMoved, Receipt
from clearinghouse.store.vault import Vault

_OWN = ("本系统内，非交换不收费", "inside one system: no exchange, no fee")


def encode(document: object) -> bytes:
    """Write an answer's body."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def transaction_document(receipt: Receipt, vault: Vault, system: int | None) -> dict[str, Any]:
    """Return what the host's system is told of a transaction; the card by the id that it knows."""
    original = receipt.original
    return {
        "id": f"txn_{receipt.txn_id.hex}",
        "kind": receipt.kind.value,
        "host_hotel": receipt.host_hotel,
        "host_system": receipt.host_system,
        "txn_ref": receipt.txn_ref,
        "original": None
        if original is None
        else {"id": f"txn_{original.hex}", "txn_ref": receipt.original_ref},
        "card_id": vault.card_id(receipt.card, system),
        "business_date": receipt.business_date.isoformat(),
        "occurred_at": write_moment(receipt.occurred_at),
        "posted_at": write_moment(receipt.posted_at),
        "period": format_period(receipt.period),
        "late": receipt.late,
        "amount": None if receipt.amount_minor is None else money(receipt.amount_minor),
        "points": receipt.points,
        "earn_points_per_yuan": None
        if receipt.earn_ppm is None
        else f"{receipt.earn_ppm // 1_000_000}.{receipt.earn_ppm % 1_000_000:06}".rstrip(
            "0"
        ).rstrip("."),
        "rulebook_version": receipt.rulebook_version,
        "lots": [_lot(lot, vault, system) for lot in receipt.lots],
        "legs": [_leg(leg) for leg in receipt.legs],
        "fee": money(receipt.fee_minor),
        "till": _till(receipt),
    }


def authorization_document(
    hold: Hold, directory: Directory, vault: Vault, system: int | None
) -> dict[str, Any]:
    """Return what the host's system is told of an authorisation."""
    in_points = hold.kind is Kind.REDEEM
    return {
        "id": f"auth_{hold.auth_id.hex}",
        "kind": hold.kind.value,
        "state": hold.state.value,
        "host_hotel": directory.hotels[hold.host_hotel].code,
        "txn_ref": hold.txn_ref,
        "card_id": vault.card_id(hold.card, system),
        "business_date": hold.business_date.isoformat(),
        "occurred_at": write_moment(hold.occurred_at),
        "held_at": write_moment(hold.held_at),
        "expires_at": write_moment(hold.expires_at),
        "ended_at": None if hold.ended_at is None else write_moment(hold.ended_at),
        "amount": None if in_points else money(hold.amount),
        "points": hold.amount if in_points else None,
        "captured_amount": None if in_points or hold.captured is None else money(hold.captured),
        "captured_points": hold.captured if in_points else None,
        "transaction": None if hold.txn_id is None else f"txn_{hold.txn_id.hex}",
        "rulebook_version": directory.rulebook_by_number[hold.rulebook].rulebook.version,
        "till": _till_of_hold(hold),
    }


def _lot(lot: LotMoved, vault: Vault, system: int | None) -> dict[str, Any]:
    in_points = lot.asset is Asset.POINT
    return {
        "lot": vault.lot_id(lot.lot, system),
        "issuer_hotel": lot.issuer_hotel,
        "issuer_system": lot.issuer_system,
        "points": lot.amount if in_points else None,
        "amount": None if in_points else money(lot.amount),
        "expires_on": None if lot.expires_on is None else lot.expires_on.isoformat(),
    }


def _leg(leg: LegTold) -> dict[str, Any]:
    zh, en = _explained(leg)
    return {
        "leg_no": leg.leg_no,
        "fee_kind": leg.fee_kind,
        "issuer_hotel": leg.issuer_hotel,
        "issuer_system": leg.issuer_system,
        "host_system": leg.host_system,
        "is_cross_system": leg.is_cross_system,
        "reason": leg.reason,
        "rulebook_version": leg.rulebook_version,
        "points": leg.points,
        "base": money(leg.base_minor),
        "obligation": money(leg.obligation_minor),
        "fee": money(leg.fee_minor),
        "fee_rate_ppm": leg.fee_rule.rate_ppm if leg.is_cross_system else 0,
        "explanation": {"zh": zh, "en": en},
    }


def _explained(leg: LegTold) -> tuple[str, str]:
    """Say why a leg costs what it costs."""
    if not leg.is_cross_system:
        return _OWN
    zh, en = _rule(leg.fee_rule)
    fee, base = yuan(leg.fee_minor), yuan(leg.base_minor)
    if leg.base_minor < 0:
        return (
            f"按剩余金额重算({zh})，手续费变动 {fee} 元",
            f"computed anew on what remains ({en}): the fee changes by ¥{fee}",
        )
    return f"跨系统，{base} 元 × {zh} = {fee} 元", f"across systems: ¥{base} × {en} = ¥{fee}"


def _rule(rule: FeeRule) -> tuple[str, str]:
    rate = f"{rule.rate_ppm / 10_000:g}%"
    zh, en = rate, rate
    if rule.fixed_minor:
        zh, en = f"{zh} + {yuan(rule.fixed_minor)} 元", f"{en} + ¥{yuan(rule.fixed_minor)}"
    if rule.min_minor:
        zh, en = f"{zh}，最低 {yuan(rule.min_minor)} 元", f"{en}, at least ¥{yuan(rule.min_minor)}"
    if rule.max_minor is not None:
        zh, en = f"{zh}，最高 {yuan(rule.max_minor)} 元", f"{en}, at most ¥{yuan(rule.max_minor)}"
    return zh, en


def _till(receipt: Receipt) -> dict[str, str]:
    """Return the sentence that the till shows."""
    amount, points = yuan(receipt.amount_minor or 0), f"{receipt.points or 0:,}"
    worth = yuan(sum(leg.base_minor for leg in receipt.legs))
    if receipt.kind is Kind.REFUND:
        if receipt.amount_minor is None:
            return {"zh": f"已退 {points} 积分", "en": f"{points} points refunded"}
        # What a spend earned goes with the money that is paid back.
        back = receipt.points or 0
        return {
            "zh": f"已退 {amount} 元" + (f"，收回 {points} 积分" if back else ""),
            "en": f"¥{amount} refunded" + (f", {points} points taken back" if back else ""),
        }
    sentences = {
        Kind.SPEND: (
            f"消费 {amount} 元，获得 {points} 积分",
            f"¥{amount} spent, {points} points earned",
        ),
        Kind.AWARD: (f"赠送 {points} 积分", f"{points} points given"),
        Kind.REDEEM: (
            f"已用 {points} 积分，抵 {worth} 元",
            f"{points} points used, worth ¥{worth}",
        ),
        Kind.LOAD: (f"已充值 {amount} 元", f"¥{amount} loaded"),
        Kind.STORED_VALUE_SPEND: (f"已用储值 {amount} 元", f"¥{amount} of stored value used"),
    }
    zh, en = sentences[receipt.kind]
    return {"zh": zh, "en": en}


def _till_of_hold(hold: Hold) -> dict[str, str]:
    in_points = hold.kind is Kind.REDEEM
    zh = f"{hold.amount:,} 积分" if in_points else f"储值 {yuan(hold.amount)} 元"
    en = f"{hold.amount:,} points" if in_points else f"¥{yuan(hold.amount)} of stored value"
    states = {
        HoldState.HELD: (f"已冻结 {zh}", f"{en} held"),
        HoldState.CAPTURED: (f"已从冻结的 {zh} 中请款", f"captured from {en} held"),
        HoldState.VOIDED: (f"已解冻 {zh}", f"{en} no longer held"),
        HoldState.EXPIRED: (
            f"冻结已过期，{zh}已解冻",
            f"the hold has expired: {en} no longer held",
        ),
    }
    told = states[hold.state]
    return {"zh": told[0], "en": told[1]}
