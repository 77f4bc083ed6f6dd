"""Rotating codes of cards that a desk has read: each is one system's alone."""

from __future__ import annotations

from datetime import datetime

from clearinghouse.store.database import Session


def take(session: Session, nonce: bytes, system: int, expires_at: datetime) -> bool:
    """Record that a system has read a code; ``False`` if another one had before."""
    session.run(
        "INSERT INTO shown_codes (nonce, system, expires_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [nonce, system, expires_at],
    )
    row = session.row("SELECT system FROM shown_codes WHERE nonce = %s", [nonce])
    return row is not None and row[0] == system


def forget(session: Session, before: datetime, most: int) -> None:
    """Throw away some codes that are over; waits for nobody."""
    session.run(
        "DELETE FROM shown_codes WHERE nonce IN (SELECT nonce FROM shown_codes"
        " WHERE expires_at < %s ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, most],
    )
