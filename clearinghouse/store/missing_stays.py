"""Stays that travellers miss in their history: reported to the host's system, answered by its people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault, decrypt_text, encrypt_text

_PLACE = "missing stay"
_COLUMNS = (
    "m.report, m.number, m.traveller, m.card, c.masked, m.hotel, m.system, m.arrived_on, m.left_on, m.amount_minor,"
    " m.reported_at, m.state, m.answered_at, m.answer, m.txn_ref, t.person_key, m.told"
)
_FROM = " FROM missing_stays m JOIN cards c ON c.number = m.card JOIN travellers t ON t.number = m.traveller"


class NewStay(NamedTuple):
    """A stay as its traveller reports it; money in fen, ``system`` is whose the hotel was then."""

    report: UUID
    traveller: int
    card: int
    hotel: int
    system: int
    arrived_on: date
    left_on: date
    amount_minor: int
    reported_at: datetime


class StoredStay(NamedTuple):
    """A report on record; ``told`` is ``None`` once the traveller's data was erased."""

    report: UUID
    number: int
    traveller: int
    card: int
    card_masked: str
    hotel: int
    system: int
    arrived_on: date
    left_on: date
    amount_minor: int
    reported_at: datetime
    state: str
    answered_at: datetime | None
    answer: str | None
    txn_ref: str | None
    told: dict[str, str] | None


def add(session: Session, vault: Vault, new: NewStay, told: dict[str, str]) -> None:
    """Record a report; what the traveller tells in words is encrypted with their own key.

    Raises:
        LookupError: the traveller's data was erased.
    """
    row = session.row(
        "SELECT person_key FROM travellers WHERE number = %s AND person_key IS NOT NULL",
        [new.traveller],
    )
    if row is None:
        raise LookupError("the traveller's data was erased")
    key = vault.person_key(bytes(row[0]))
    session.run(
        "INSERT INTO missing_stays (report, traveller, card, hotel, system, arrived_on, left_on, amount_minor,"
        " reported_at, told) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [*new, encrypt_text(key, json.dumps(told, ensure_ascii=False), _PLACE)],
    )


def open_of(session: Session, traveller: int) -> int:
    """Return how many reports of a traveller wait for an answer."""
    row = session.row(
        "SELECT count(*) FROM missing_stays WHERE traveller = %s AND state = 'open'", [traveller]
    )
    return int(row[0]) if row else 0


def same(session: Session, new: NewStay) -> UUID | None:
    """Return an open report of the very same stay."""
    row = session.row(
        "SELECT report FROM missing_stays WHERE traveller = %s AND hotel = %s AND arrived_on = %s"
        " AND left_on = %s AND amount_minor = %s AND state = 'open' LIMIT 1",
        [new.traveller, new.hotel, new.arrived_on, new.left_on, new.amount_minor],
    )
    return None if row is None else row[0]


def of_traveller(
    session: Session, vault: Vault, traveller: int, before: int | None, most: int
) -> list[StoredStay]:
    """Return a traveller's reports, the latest first, before the one with a number."""
    rows = session.rows(
        f"SELECT {_COLUMNS}{_FROM} WHERE m.traveller = %s AND m.number < coalesce(%s, 9223372036854775807)"
        " ORDER BY m.number DESC LIMIT %s",
        [traveller, before, most],
    )
    return [_stay(vault, row) for row in rows]


def of_system(
    session: Session,
    vault: Vault,
    system: int | None,
    state: str | None,
    before: int | None,
    most: int,
) -> list[StoredStay]:
    """Return the reports about a system's hotels (``None``: about all), the latest first."""
    rows = session.rows(
        f"SELECT {_COLUMNS}{_FROM} WHERE (%s::int IS NULL OR m.system = %s)"
        " AND (%s::text IS NULL OR m.state = %s) AND m.number < coalesce(%s, 9223372036854775807)"
        " ORDER BY m.number DESC LIMIT %s",
        [system, system, state, state, before, most],
    )
    return [_stay(vault, row) for row in rows]


def find(session: Session, vault: Vault, report: UUID, *, hold: bool = False) -> StoredStay | None:
    """Return a report; with ``hold`` nobody else can answer it until the end."""
    lock = " FOR UPDATE OF m" if hold else ""
    row = session.row(f"SELECT {_COLUMNS}{_FROM} WHERE m.report = %s{lock}", [report])
    return None if row is None else _stay(vault, row)


def end(
    session: Session,
    report: UUID,
    state: str,
    at: datetime,
    said: Sequence[str | None] = (None, None),
    by: Sequence[int | None] = (None, None),
) -> None:
    """Record what came of a report: the answer with the reference of what was posted, by a client or a user."""
    session.run(
        "UPDATE missing_stays SET state = %s, answered_at = %s, answer = %s, txn_ref = %s, by_client = %s,"
        " by_user = %s WHERE report = %s",
        [state, at, *said, *by, report],
    )


def _stay(vault: Vault, row: tuple[Any, ...]) -> StoredStay:
    key, told = row[-2:]
    words = None
    if key is not None:
        words = json.loads(decrypt_text(vault.person_key(bytes(key)), bytes(told), _PLACE))
    return StoredStay._make((*row[:-2], words))
