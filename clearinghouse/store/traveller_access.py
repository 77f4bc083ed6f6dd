"""How travellers come to their pages: sign-in codes that were asked for, and sessions; nothing in the clear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.store.bulk import array
from clearinghouse.store.database import Session
from clearinghouse.store.vault import Vault, decrypt_personal

#: First key of the advisory lock under which codes for one phone or address take turns.
_PLACE_LOCK = 727017


class NewCode(NamedTuple):
    """A code that is to be sent to a phone or e-mail address; places, askers and the code are keyed hashes."""

    request: UUID
    place_index: bytes
    asker_index: bytes
    code_hash: bytes
    asked_at: datetime
    expires_at: datetime


class AskedCode(NamedTuple):
    """A code as it waits to be given back."""

    place_index: bytes
    code_hash: bytes
    tries: int
    expires_at: datetime
    used: bool


class CodesLately(NamedTuple):
    """How many codes were asked for since a moment: for one place, by one asker, and by everybody."""

    of_place: int
    by_asker: int
    of_all: int


class OnRecord(NamedTuple):
    """A traveller under a phone or e-mail address."""

    traveller: int
    name: str


class TravellerSession(NamedTuple):
    """A session: whose pool is looked at, all pools of that person, and when it was seen last."""

    traveller: int
    pools: tuple[int, ...]
    begun_at: datetime
    seen_at: datetime


def hold_place(session: Session, place_index: bytes) -> None:
    """Let no other code for this phone or address be asked for until this transaction ends."""
    key = int.from_bytes(place_index[:4], signed=True)
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_PLACE_LOCK, key])


def codes_since(
    session: Session, place_index: bytes, asker_index: bytes, since: datetime
) -> CodesLately:
    """Count the codes that were asked for since a moment, whether or not anything was sent."""
    row = session.row(
        "SELECT (SELECT count(*) FROM traveller_codes WHERE place_index = %s AND asked_at > %s),"
        " (SELECT count(*) FROM traveller_codes WHERE asker_index = %s AND asked_at > %s),"
        " (SELECT count(*) FROM traveller_codes WHERE asked_at > %s)",
        [place_index, since, asker_index, since, since],
    )
    return CodesLately(*row) if row else CodesLately(0, 0, 0)


def tries_since(session: Session, place_index: bytes, since: datetime) -> int:
    """Count the wrong codes that were given for a phone or address since a moment."""
    row = session.row(
        "SELECT coalesce(sum(tries), 0) FROM traveller_codes WHERE place_index = %s AND asked_at > %s",
        [place_index, since],
    )
    return int(row[0]) if row else 0


def add_code(session: Session, new: NewCode) -> None:
    """Record a code that was asked for."""
    session.run(
        "INSERT INTO traveller_codes (request, place_index, asker_index, code_hash, asked_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [*new],
    )


def lock_code(session: Session, request: UUID) -> AskedCode | None:
    """Return a code that nobody else can try until the end."""
    row = session.row(
        "SELECT place_index, code_hash, tries, expires_at, used_at IS NOT NULL FROM traveller_codes"
        " WHERE request = %s FOR UPDATE",
        [request],
    )
    return None if row is None else AskedCode(bytes(row[0]), bytes(row[1]), *row[2:])


def count_try(session: Session, request: UUID) -> None:
    """Record that a code was tried in vain."""
    session.run("UPDATE traveller_codes SET tries = tries + 1 WHERE request = %s", [request])


def use_code(session: Session, request: UUID, at: datetime) -> None:
    """Record that a code did its work: it is good once."""
    session.run("UPDATE traveller_codes SET used_at = %s WHERE request = %s", [at, request])


def forget_codes(session: Session, before: datetime, most: int) -> None:
    """Throw away some codes that were asked for before a moment; waits for nobody."""
    session.run(
        "DELETE FROM traveller_codes WHERE request IN (SELECT request FROM traveller_codes"
        " WHERE asked_at < %s ORDER BY asked_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, most],
    )


def anybody_under(session: Session, kind: str, place_index: bytes) -> bool:
    """Tell whether a traveller is known under a phone (``phone``) or e-mail address (``email``)."""
    column = _COLUMN[kind]
    row = session.row(
        f"SELECT FROM travellers WHERE {column} = %s AND person_key IS NOT NULL LIMIT 1",
        [place_index],
    )
    return row is not None


def people_under(session: Session, vault: Vault, kind: str, place_index: bytes) -> list[OnRecord]:
    """Return the travellers under a phone or e-mail address, in the order in which they were recorded."""
    column = _COLUMN[kind]
    return [
        OnRecord(number, decrypt_personal(vault.person_key(bytes(key)), bytes(personal))["name"])
        for number, key, personal in session.rows(
            f"SELECT number, person_key, personal FROM travellers WHERE {column} = %s"
            " AND person_key IS NOT NULL ORDER BY number",
            [place_index],
        )
    ]


_COLUMN = {"phone": "phone_index", "email": "email_index"}


def add_session(
    session: Session, token_hash: bytes, traveller: int, pools: Sequence[int], at: datetime
) -> None:
    """Record a session of a person with these pools, who looks at one of them."""
    session.run(
        "INSERT INTO traveller_sessions (token_hash, traveller, pools, begun_at, seen_at)"
        " VALUES (%s, %s, %s::bigint[], %s, %s)",
        [token_hash, traveller, array(pools), at, at],
    )


def find_session(session: Session, token_hash: bytes, since: datetime) -> TravellerSession | None:
    """Return a session that was seen since a moment, of a traveller whose data was not erased."""
    row = session.row(
        "SELECT s.traveller, s.pools, s.begun_at, s.seen_at FROM traveller_sessions s"
        " JOIN travellers t ON t.number = s.traveller AND t.person_key IS NOT NULL"
        " WHERE s.token_hash = %s AND s.seen_at > %s",
        [token_hash, since],
    )
    return None if row is None else TravellerSession(row[0], tuple(row[1]), row[2], row[3])


def see_session(session: Session, token_hash: bytes, at: datetime) -> None:
    """Record that a session was used."""
    session.run(
        "UPDATE traveller_sessions SET seen_at = %s WHERE token_hash = %s", [at, token_hash]
    )


def look_at(session: Session, token_hash: bytes, traveller: int) -> None:
    """Let a session look at another pool of the same person; the database refuses one that is not theirs."""
    session.run(
        "UPDATE traveller_sessions SET traveller = %s WHERE token_hash = %s",
        [traveller, token_hash],
    )


def end_session(session: Session, token_hash: bytes) -> None:
    """End one session."""
    session.run("DELETE FROM traveller_sessions WHERE token_hash = %s", [token_hash])


def end_sessions_of(session: Session, pools: Sequence[int]) -> int:
    """End all sessions of a person, by their pools; return how many there were."""
    return session.run("DELETE FROM traveller_sessions WHERE pools && %s::bigint[]", [array(pools)])


def sessions_of(session: Session, pools: Sequence[int], since: datetime) -> list[TravellerSession]:
    """Return the sessions of a person that were seen since a moment, the latest first."""
    return [
        TravellerSession(row[0], tuple(row[1]), row[2], row[3])
        for row in session.rows(
            "SELECT traveller, pools, begun_at, seen_at FROM traveller_sessions"
            " WHERE pools && %s::bigint[] AND seen_at > %s ORDER BY seen_at DESC, begun_at DESC",
            [array(pools), since],
        )
    ]


def forget_sessions(session: Session, before: datetime, most: int) -> None:
    """Throw away some sessions that were not seen since a moment; waits for nobody."""
    session.run(
        "DELETE FROM traveller_sessions WHERE token_hash IN (SELECT token_hash FROM traveller_sessions"
        " WHERE seen_at < %s ORDER BY seen_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, most],
    )
