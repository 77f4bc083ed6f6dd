"""Sessions of users: begun at sign-in and at each step anew, over when idle for half an hour or after twelve hours.

The browser has a token of 256 random bits and nothing else; the database has its hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from clearinghouse.domain.users import Role
from clearinghouse.operations.context import Context
from clearinghouse.store import user_sessions as store
from clearinghouse.store.database import Session

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
#: How long somebody who is not signed in yet may take for a step.
_STEP = timedelta(minutes=15)
#: That a session is used is written this often, not with each page.
_TOUCHED = timedelta(minutes=1)


class Level(StrEnum):
    """How far somebody is: the second factor is owed, the setting up is owed, or signed in."""

    SECOND = "second"
    SETUP = "setup"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class UserSession:
    """A session that is good now. ``system`` is ``None`` for the operator's people."""

    user: int
    login: str
    system: int | None
    role: Role
    level: Level
    begun_at: datetime


def begin_in(session: Session, at: datetime, user: int, level: Level) -> str:
    """Begin a session of a user in a transaction under way, and return its token."""
    token = secrets.token_urlsafe(32)
    ends_at = at + (LONGEST if level is Level.FULL else _STEP)
    store.add(session, hashed(token), user, level.value, at, ends_at)
    return token


def find_session(context: Context, token: str) -> UserSession | None:
    """Return the session of a token; ``None`` if there is none, it is over, or its user is deactivated."""
    now, token_hash = context.clock(), hashed(token)
    with context.database.posting() as session:
        found = store.find(session, token_hash)
        if found is None or now >= found.ends_at or now - found.seen_at >= IDLE:
            return None
        if now - found.seen_at >= _TOUCHED:
            store.touch(session, token_hash, now)
    return UserSession(
        found.user, found.login, found.system, Role(found.role), Level(found.level), found.begun_at
    )


def end_session(context: Context, token: str) -> None:
    """End a session, if it is not over already."""
    with context.database.posting() as session:
        store.end(session, hashed(token))


def hashed(token: str) -> bytes:
    """Return the hash by which a session is found."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
