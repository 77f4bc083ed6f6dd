"""Holds: points or stored value reserved for a host until captured, voided or expired (domain.md §3 "Authorisation").

A hold reserves exact lots. Nothing is cleared until capture, and a hold whose time is over counts for nothing,
whether or not anybody has written that down yet.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(slots=True, kw_only=True)
class Hold:
    """One authorisation; ``amount`` is points or fen by its ``kind`` (redeem or stored_value_spend).

    ``parts`` are the lots it reserves, in the order of drawing (none once it has ended); ``captured`` is how
    much of the amount the transaction ``txn_id`` used.
    """

    auth_id: UUID
    host_hotel: int
    host_system: int
    txn_ref: str
    content: bytes
    kind: Kind
    card: int
    traveller: int
    business_date: date
    occurred_at: datetime
    rulebook: int
    amount: int
    parts: list[Draw]
    held_at: datetime
    expires_at: datetime
    state: HoldState = HoldState.HELD
    ended_at: datetime | None = None
    captured: int | None = None
    txn_id: UUID | None = None

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
