"""The audit trail as people read it: a system's administrators their own people's, the operator everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import audit, users
from clearinghouse.store.audit import Trace
from clearinghouse.store.database import Session

__all__ = ["Trace", "note", "note_user", "trail"]


def note(
    context: Context,
    actor: str,
    system: int | None,
    action: str,
    subject: str,
    details: Mapping[str, object],
) -> None:
    """Write down what somebody did that changes nothing in the books: signed in, fetched a file."""
    with context.database.posting() as session:
        audit.record(session, context.clock(), actor, action, subject, details, system=system)


def note_user(
    session: Session, at: datetime, party: Party, action: str, subject: str, **details: object
) -> None:
    """Write down what a user of the pages does in a transaction; what clients of the API do is in its own records."""
    if party.user is None:
        return
    user = users.by_number(session, party.user)
    if user is not None:
        audit.record(session, at, user.login, action, subject, details, system=user.system)


def trail(
    context: Context,
    system: int | None,
    limit: int,
    *,
    before: int | None = None,
    action: str | None = None,
    actor: str | None = None,
) -> list[Trace]:
    """Return lines of the trail, the newest first, before a number: a system's own, or (``None``) all of them.

    ``action`` is how the action begins, as in ``sign_in``; ``actor`` who did it, whole.
    """
    if system is None:
        with context.database.office() as session:
            return audit.newest(session, limit, before=before, action=action, actor=actor)
    with context.database.reading(system) as session:
        return audit.newest(
            session, limit, before=before, system=system, action=action, actor=actor
        )
