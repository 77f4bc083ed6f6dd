"""Cards that travellers asked for on their own page: the recorded exception to the no-harm rule (domain.md §1.3)."""

from __future__ import annotations

from datetime import datetime

from clearinghouse.store.database import Session


def add(session: Session, card: int, traveller: int, system: int, hotel: int, at: datetime) -> None:
    """Record that a card was asked for by its holder, unsolicited."""
    session.run(
        "INSERT INTO asked_cards (card, traveller, system, hotel, asked_at) VALUES (%s, %s, %s, %s, %s)",
        [card, traveller, system, hotel, at],
    )


def asked_since(session: Session, traveller: int, since: datetime) -> int:
    """Return how many cards a traveller asked for since a moment."""
    row = session.row(
        "SELECT count(*) FROM asked_cards WHERE traveller = %s AND asked_at > %s",
        [traveller, since],
    )
    return int(row[0]) if row else 0


def hold_traveller(session: Session, traveller: int) -> None:
    """Let a traveller ask for one card at a time; posters wait that long too."""
    session.row("SELECT FROM travellers WHERE number = %s FOR NO KEY UPDATE", [traveller])
