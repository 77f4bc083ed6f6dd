"""Signing keys: the public halves to publish, the private ones sealed with the vault's master key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from clearinghouse.store.database import Session

#: Advisory lock under which the key of a purpose is made or replaced.
_KEYS_LOCK = 727011


class PublicKey(NamedTuple):
    """A key as everybody may see it.

    ``retired_at`` is the moment since which it signs nothing, ``compromised_at`` that since which somebody else may.
    """

    kid: str
    public_key: dict[str, Any]
    created_at: datetime
    retired_at: datetime | None
    compromised_at: datetime | None


def hold_keys(session: Session) -> None:
    """Let nobody else make or retire a signing key until this transaction ends."""
    session.row("SELECT pg_advisory_xact_lock(%s)", [_KEYS_LOCK])


def public_keys(session: Session, purpose: str) -> list[PublicKey]:
    """Return all keys of a purpose, the newest first."""
    return [
        PublicKey(*row)
        for row in session.rows(
            "SELECT kid, public_key, created_at, retired_at, compromised_at FROM signing_keys WHERE purpose = %s"
            " ORDER BY created_at DESC, kid",
            [purpose],
        )
    ]


def sealed_key(session: Session, kid: str) -> bytes:
    """Return a private key as it is stored."""
    row = session.row("SELECT sealed FROM signing_keys WHERE kid = %s", [kid])
    if row is None:
        raise LookupError(f"there is no signing key {kid}")
    return bytes(row[0])


def add(
    session: Session,
    kid: str,
    purpose: str,
    public_key: Mapping[str, Any],
    sealed: bytes,
    at: datetime,
) -> None:
    """Record a new key."""
    session.run(
        "INSERT INTO signing_keys (kid, purpose, public_key, sealed, created_at) VALUES (%s, %s, %s, %s, %s)",
        [kid, purpose, json.dumps(public_key), sealed, at],
    )


def retire(session: Session, purpose: str, at: datetime) -> None:
    """Let the keys of a purpose sign nothing more."""
    session.run(
        "UPDATE signing_keys SET retired_at = %s WHERE purpose = %s AND retired_at IS NULL",
        [at, purpose],
    )


def compromise(session: Session, kid: str, at: datetime) -> None:
    """Record that somebody else may have a key; the first moment counts."""
    session.run(
        "UPDATE signing_keys SET compromised_at = %s WHERE kid = %s AND compromised_at IS NULL",
        [at, kid],
    )
