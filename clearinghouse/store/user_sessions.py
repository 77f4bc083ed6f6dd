"""Sessions of users: on the server alone, found by the hash of a token that only the browser has."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from clearinghouse.store.database import Session

#: A new session also clears away this many that are over.
_CLEARED = 100


class StoredSession(NamedTuple):
    """A session and its user; ``level`` is ``second``, ``setup`` or ``full``."""

    user: int
    login: str
    system: int | None
    role: str
    level: str
    begun_at: datetime
    seen_at: datetime
    ends_at: datetime
    totp_sealed: bytes | None


def add(
    session: Session, token_hash: bytes, user: int, level: str, at: datetime, ends_at: datetime
) -> None:
    """Record a session that begins now. Some that are over are cleared away."""
    session.run(
        "DELETE FROM user_sessions WHERE token_hash IN (SELECT token_hash FROM user_sessions"
        " WHERE ends_at < %s ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        [at, _CLEARED],
    )
    session.run(
        "INSERT INTO user_sessions (token_hash, user_no, level, begun_at, seen_at, ends_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [token_hash, user, level, at, at, ends_at],
    )


def find(session: Session, token_hash: bytes) -> StoredSession | None:
    """Return a session of an active user, over or not."""
    row = session.row(
        "SELECT u.number, u.login, u.system, u.role, s.level, s.begun_at, s.seen_at, s.ends_at, s.totp_sealed"
        " FROM user_sessions s JOIN users u ON u.number = s.user_no"
        " WHERE s.token_hash = %s AND u.deactivated_at IS NULL",
        [token_hash],
    )
    if row is None:
        return None
    found = StoredSession(*row)
    return found._replace(
        totp_sealed=None if found.totp_sealed is None else bytes(found.totp_sealed)
    )


def touch(session: Session, token_hash: bytes, at: datetime) -> None:
    """Record that a session was just used."""
    session.run("UPDATE user_sessions SET seen_at = %s WHERE token_hash = %s", [at, token_hash])


def keep_secret(session: Session, token_hash: bytes, sealed: bytes) -> None:
    """Keep the sealed secret of a second factor that is being set up."""
    session.run(
        "UPDATE user_sessions SET totp_sealed = %s WHERE token_hash = %s", [sealed, token_hash]
    )


def end(session: Session, token_hash: bytes) -> bool:
    """End a session; false if there was none."""
    return session.run("DELETE FROM user_sessions WHERE token_hash = %s", [token_hash]) == 1


def end_all(session: Session, user: int) -> int:
    """End all sessions of a user and return how many there were."""
    return session.run("DELETE FROM user_sessions WHERE user_no = %s", [user])
