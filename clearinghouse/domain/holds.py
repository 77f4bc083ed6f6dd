"""Holds: points or stored value reserved for a host until captured, voided or expired (domain.md §3 "Authorisation").

A hold reserves exact lots. Nothing is cleared until capture, and a hold whose time is over counts for nothing,
whether or not anybody has written that down yet.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from clearinghouse.domain.pools import Draw
from clearinghouse.domain.transactions import Kind


class HoldState(StrEnum):
    """What has become of a hold; all but ``HELD`` are for good."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class Hold:
    """One authorisation; ``amount`` is points or fen by its ``kind`` (redeem or stored_value_spend).

    ``parts`` are the lots it reserves, in the order of drawing; ``captured`` is how much of the amount the
    transaction ``txn_id`` used.
    """

    __slots__ = (
        "amount",
        "auth_id",
        "business_date",
        "captured",
        "card",
        "content",
        "ended_at",
        "expires_at",
        "held_at",
        "host_hotel",
        "host_system",
        "kind",
        "occurred_at",
        "parts",
        "rulebook",
        "state",
        "traveller",
        "txn_id",
        "txn_ref",
    )

    def __init__(
        self,
        *,
        auth_id: UUID,
        host_hotel: int,
        host_system: int,
        txn_ref: str,
        content: bytes,
        kind: Kind,
        card: int,
        traveller: int,
        business_date: date,
        occurred_at: datetime,
        rulebook: int,
        amount: int,
        parts: list[Draw],
        held_at: datetime,
        expires_at: datetime,
        state: HoldState = HoldState.HELD,
        ended_at: datetime | None = None,
        captured: int | None = None,
        txn_id: UUID | None = None,
    ) -> None:
        self.auth_id = auth_id
        self.host_hotel = host_hotel
        self.host_system = host_system
        self.txn_ref = txn_ref
        self.content = content
        self.kind = kind
        self.card = card
        self.traveller = traveller
        self.business_date = business_date
        self.occurred_at = occurred_at
        self.rulebook = rulebook
        self.amount = amount
        self.parts = parts
        self.held_at = held_at
        self.expires_at = expires_at
        self.state = state
        self.ended_at = ended_at
        self.captured = captured
        self.txn_id = txn_id

    def is_over(self, now: datetime) -> bool:
        """Tell whether the time of a hold that still stands has run out."""
        return self.state is HoldState.HELD and self.expires_at <= now

    def first(self, amount: int) -> list[Draw]:
        """Return so much of what is held, in the order of drawing."""
        draws = []
        for lot, part in self.parts:
            if amount <= 0:
                break
            draws.append(Draw(lot, min(part, amount)))
            amount -= part
        return draws
