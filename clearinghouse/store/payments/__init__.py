"""Payments as they are stored: what is instructed, what the bank says, and what of it met what."""

from __future__ import annotations

from clearinghouse.store.database import Session

#: Held by whoever changes what is paid: one after the other, so that nothing is matched twice.
PAYMENTS_LOCK = 727031


def hold_payments(session: Session) -> None:
    """Wait until nobody else changes what is paid, and let nobody until this transaction ends."""
    session.row("SELECT pg_advisory_xact_lock(%s)", [PAYMENTS_LOCK])
