"""Movements: what moves on a system's account besides what its periods net (domain.md §4 "settled", "Risk").

A period's net comes from legs, fees, VAT and adjustments. Money that was paid, collateral that was drawn on and
claims that were shared out move the same account, ``POSITION``, but are no part of any net. So a statement foots:
opening + net − payments = closing, where *payments* is the sum of the movements with its sign turned, and closing is
the balance of the account at the period's end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID


class MovementKind(NamedTuple):
    """A kind of journal entry that moves systems' accounts outside of any net, and what statements call it."""

    name: str
    zh: str
    en: str


#: Every kind of entry that is a movement; an entry of any other kind is part of a period's net.
MOVEMENT_KINDS: Mapping[str, MovementKind] = {
    kind.name: kind
    for kind in (
        MovementKind("payment_in", "收到付款", "Payment received"),
        MovementKind("payment_out", "已付款", "Payment made"),
        MovementKind("payment_returned", "付款退回", "Payment returned"),
        MovementKind("payment_corrected", "付款更正", "Payment corrected"),
        MovementKind("collateral", "动用担保品", "Collateral drawn on"),
        MovementKind("haircut", "损失分摊", "Share of a loss"),
        MovementKind("claim_payment", "追偿分配", "Claim paid"),
        MovementKind("contribution", "缴存互保基金", "Contribution to the guarantee fund"),
    )
}


class Movement(NamedTuple):
    """One movement on a system's account.

    ``amount_minor`` is in fen, a credit (what the system has paid, or is to receive after all) above 0. ``day`` is
    the booking date, which may lie before the period that it stands in. ``reference`` is that of the payment, if any.
    """

    kind: str
    amount_minor: int
    day: date
    reference: str | None
    entry_id: UUID


def payments_minor(movements: Iterable[Movement]) -> int:
    """Return the row "payments" of a statement: what the clearing house paid (+) less what it was paid (−), in fen."""
    return -sum(movement.amount_minor for movement in movements)
