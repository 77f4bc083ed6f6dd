"""Clients of the API and what they prove themselves with; assertions that were used already."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clearinghouse.store.database import Session

_COLUMNS = (
    "c.number, c.client_id, c.system, s.code, c.name, c.scopes, c.hotels, c.secret_hash, c.former_secret_hash,"
    " c.former_secret_until, c.public_key, c.created_at, c.revoked_at"
)
_FROM = f"SELECT {_COLUMNS} FROM clients c LEFT JOIN systems s ON s.number = c.system"
#: An assertion's insert also clears away this many that can't be used any more.
_CLEARED = 100
_CLEARING_LOCK = 727023


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A client as it is on record. ``system`` is ``None`` for the operator's own.

    Secrets are there only as SHA-256; ``public_keys`` has a JWK as ``current`` and, after a rotation, one as
    ``former``, which like the former secret is good until ``former_until``.
    """

    number: int
    client_id: str
    system: int | None
    system_code: str | None
    name: str
    scopes: frozenset[str]
    hotels: frozenset[int] | None
    secret_hash: bytes | None
    former_secret_hash: bytes | None
    former_until: datetime | None
    public_keys: Mapping[str, dict[str, Any]] | None
    created_at: datetime
    revoked_at: datetime | None


def find(session: Session, client_id: str) -> StoredClient | None:
    """Return a client, revoked or not; ``None`` if there is no such one."""
    row = session.row(f"{_FROM} WHERE c.client_id = %s", [client_id])
    return _client(row) if row else None


def every(session: Session) -> list[StoredClient]:
    """Return all clients, revoked ones too: the operator's first, then by system and name."""
    rows = session.rows(f"{_FROM} ORDER BY s.code NULLS FIRST, c.name, c.number")
    return [_client(row) for row in rows]


def add(
    session: Session,
    client_id: str,
    system: int | None,
    name: str,
    scopes: Collection[str],
    hotels: Collection[int] | None,
    at: datetime,
    *,
    secret_hash: bytes | None = None,
    public_key: Mapping[str, Any] | None = None,
) -> None:
    """Record a new client with a secret or a public key."""
    session.run(
        "INSERT INTO clients (client_id, system, name, secret_hash, public_key, scopes, hotels, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            client_id, system, name, secret_hash,
            None if public_key is None else json.dumps({"current": public_key}),
            list(scopes), None if hotels is None else sorted(hotels), at,
        ],
    )  # fmt: skip


def replace_secret(
    session: Session, number: int, secret_hash: bytes, until: datetime | None
) -> None:
    """Give a client another secret; the one it had is good until a moment, or forgotten where there is none."""
    session.run(
        "UPDATE clients SET former_secret_hash = CASE WHEN %s::timestamptz IS NOT NULL THEN secret_hash END,"
        " former_secret_until = %s, secret_hash = %s WHERE number = %s",
        [until, until, secret_hash, number],
    )


def replace_key(
    session: Session, number: int, public_key: Mapping[str, Any], until: datetime | None
) -> None:
    """Give a client another public key; the one it had is good until a moment, or forgotten where there is none."""
    former = "" if until is None else ", 'former', public_key -> 'current'"
    session.run(
        "UPDATE clients SET former_secret_until = %s,"
        f" public_key = jsonb_build_object('current', %s::jsonb{former}) WHERE number = %s",
        [until, json.dumps(public_key), number],
    )


def revoke(session: Session, number: int, at: datetime) -> None:
    """Record that a client is no longer one."""
    session.run("UPDATE clients SET revoked_at = %s WHERE number = %s", [at, number])


def revoked(session: Session) -> frozenset[int]:
    """Return the numbers of all clients that were revoked."""
    rows = session.rows("SELECT number FROM clients WHERE revoked_at IS NOT NULL")
    return frozenset(number for (number,) in rows)


def use_assertion(session: Session, jti_hash: bytes, expires_at: datetime, now: datetime) -> bool:
    """Record that an assertion is used; false if it was before. Some that are over are cleared away."""
    # One at a time: two that clear the same rows in another order would deadlock.
    row = session.row("SELECT pg_try_advisory_xact_lock(%s)", [_CLEARING_LOCK])
    if row is not None and row[0]:
        session.run(
            "DELETE FROM client_assertions WHERE jti_hash IN (SELECT jti_hash FROM client_assertions"
            " WHERE expires_at < %s LIMIT %s)",
            [now, _CLEARED],
        )
    return (
        session.run(
            "INSERT INTO client_assertions (jti_hash, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [jti_hash, expires_at],
        )
        == 1
    )


def _client(row: tuple[Any, ...]) -> StoredClient:
    number, client_id, system, code, name, scopes, hotels, secret, former, *rest = row
    return StoredClient(
        number, client_id, system, code, name, frozenset(scopes),
        None if hotels is None else frozenset(hotels),
        None if secret is None else bytes(secret),
        None if former is None else bytes(former),
        *rest,
    )  # fmt: skip
