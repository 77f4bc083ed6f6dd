"""First answers: what was answered to an idempotency key, committed with what it tells of (interfaces.md "HTTP")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from clearinghouse.store.bulk import Batch, array, table
from clearinghouse.store.database import Session

#: First key of the advisory locks that requests in flight hold on their keys.
_KEY_LOCK = 727009
_ANSWERS = table(
    "idempotent_answers",
    "client int, key bytea, request bytea, status smallint, body bytea, at timestamptz",
)

_CLAIM = (
    f"SELECT ARRAY(SELECT pg_try_advisory_xact_lock({_KEY_LOCK}, key)"
    " FROM unnest(%s::int[]) WITH ORDINALITY AS wanted (key, place) ORDER BY place),"
    " (SELECT number FROM directory_version)"
)
_KEPT = (
    "SELECT a.key, a.request, a.status, a.body"
    " FROM unnest(%s::int[], %s::bytea[]) AS wanted (client, key)"
    " JOIN idempotent_answers a USING (client, key)"
)


class Key(NamedTuple):
    """A client's key, hashed, and the hash of the request that it came with."""

    client: int
    key: bytes
    request: bytes


class Answer(NamedTuple):
    """An answer as it was given first: HTTP status and body."""

    status: int
    body: bytes


class Kept(NamedTuple):
    """An answer on record, and the hash of the request that it was given to."""

    request: bytes
    answer: Answer


def key_of(client: int, key: str, request: bytes) -> Key:
    """Hash a client's idempotency key and its request."""
    return Key(
        client,
        blake2b(f"{client}\x1f{key}".encode(), digest_size=16).digest(),
        blake2b(request, digest_size=16).digest(),
    )


class Claimed(NamedTuple):
    """Which keys are now this transaction's, and the version of the directory, which whoever claims asks for next."""

    mine: list[bool]
    directory_version: int


def claim(session: Session, keys: Sequence[Key]) -> Claimed:
    """Claim keys until this transaction ends; false where another transaction is at the same key."""
    numbers = [int.from_bytes(key.key[:4], signed=True) for key in keys]
    row = session.row(session.prepared(_CLAIM), [array(numbers)])
    return Claimed(*row) if row else Claimed([], 0)


def kept(session: Session, keys: Sequence[Key]) -> dict[bytes, Kept]:
    """Return the answers on record by the hash of their key. Claim the keys in a statement before this one."""
    rows = session.rows(
        session.prepared(_KEPT),
        [array(key.client for key in keys), array(key.key for key in keys)],
    )
    return {
        bytes(key): Kept(bytes(request), Answer(status, bytes(body)))
        for key, request, status, body in rows
    }


def keep(batch: Batch, answers: Sequence[tuple[Key, Answer]], at: datetime) -> None:
    """Record first answers, in the transaction that does what they tell of."""
    batch.insert(_ANSWERS, [(*key, *answer, at) for key, answer in answers])


def forget(session: Session, before: datetime) -> int:
    """Delete answers that were given before a moment; return how many."""
    return session.run("DELETE FROM idempotent_answers WHERE at < %s", [before])
