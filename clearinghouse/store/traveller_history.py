"""A traveller's own transactions, and the cards and data that they may see of themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from clearinghouse.domain.identifiers import period_of_id
from clearinghouse.domain.transactions import Kind
from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault, decrypt_text

_LAST = UUID(int=(1 << 128) - 1)


class CardHeld(NamedTuple):
    """A card of a traveller, by number in the tables, with its number in full: for its holder's eyes alone."""

    card: int
    number: str


def newest(session: Session, traveller: int, before: UUID | None, most: int) -> list[UUID]:
    """Return ids of a traveller's transactions, the newest first, before one of them."""
    # Ids begin with their moment, so the index of each month's part gives them in order.
    rows = session.rows(
        "SELECT txn_id FROM transactions WHERE traveller = %s AND txn_id < %s"
        " ORDER BY txn_id DESC LIMIT %s",
        [traveller, before or _LAST, most],
    )
    return [row[0] for row in rows]


def holder_of(session: Session, txn_id: UUID) -> int | None:
    """Return whose transaction it is; ``None`` if there is none."""
    row = session.row(
        "SELECT traveller FROM transactions WHERE period = %s AND txn_id = %s",
        [period_of_id(txn_id), txn_id],
    )
    return None if row is None else int(row[0])


def kinds_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, Kind]:
    """Return the kinds of transactions."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {
        txn_id: Kind(kind)
        for txn_id, kind in session.rows(
            "SELECT txn_id, kind FROM transactions"
            " WHERE period = ANY (%s::int[]) AND txn_id = ANY (%s::uuid[])",
            [array({period_of_id(txn_id) for txn_id in wanted}), array(wanted)],
        )
    }


def cards_of(session: Session, vault: Vault, traveller: int) -> list[CardHeld]:
    """Return a traveller's cards in the order in which they were recorded; none once the data was erased."""
    rows = session.rows(
        "SELECT c.number, c.encrypted, t.person_key FROM cards c JOIN travellers t ON t.number = c.traveller"
        " WHERE c.traveller = %s AND t.person_key IS NOT NULL ORDER BY c.number",
        [traveller],
    )
    return [
        CardHeld(number, decrypt_text(vault.person_key(bytes(key)), bytes(sealed), "card"))
        for number, sealed, key in rows
    ]
