"""Proposals as they are stored: what one person wants done and another has to confirm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.store.database import Session

#: Key of the advisory lock under which proposals that wait once are made.
_PROPOSING_LOCK = 727022

_COLUMNS = (
    "number, dispute_id, document, proposed_by, reason, proposed_at, state, ended_by, ended_at"
)


class Proposal(NamedTuple):
    """A proposal; ``document`` says what is to be done, ``dispute_id`` which dispute it decides if it does."""

    number: int
    dispute_id: UUID | None
    document: Mapping[str, Any]
    proposed_by: str
    reason: str
    proposed_at: datetime
    state: str
    ended_by: str | None
    ended_at: datetime | None


def add(
    session: Session,
    dispute_id: UUID | None,
    document: Mapping[str, object],
    proposed_by: str,
    reason: str,
    at: datetime,
) -> Proposal | None:
    """Record a proposal; ``None``: one waits for that dispute already."""
    row = session.row(
        "INSERT INTO proposals (dispute_id, document, proposed_by, reason, proposed_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (dispute_id) WHERE state = 'waiting' DO NOTHING"
        f" RETURNING {_COLUMNS}",
        [dispute_id, json.dumps(document, ensure_ascii=False), proposed_by, reason, at],
    )
    return Proposal(*row) if row else None


def same_waits(session: Session, document: Mapping[str, object]) -> bool:
    """Tell whether the same is proposed already and waits; until this transaction ends nobody proposes it beside us."""
    session.row("SELECT pg_advisory_xact_lock(%s)", [_PROPOSING_LOCK])
    return any(row.document == document for row in waiting(session))


def hold(session: Session, number: int) -> Proposal | None:
    """Return a proposal that nobody else ends until this transaction does."""
    row = session.row(
        f"SELECT {_COLUMNS} FROM proposals WHERE number = %s FOR NO KEY UPDATE", [number]
    )
    return Proposal(*row) if row else None


def end(session: Session, number: int, state: str, by: str, at: datetime) -> None:
    """Confirm or withdraw a proposal; the database refuses a second end."""
    session.run(
        "UPDATE proposals SET state = %s, ended_by = %s, ended_at = %s WHERE number = %s",
        [state, by, at, number],
    )


def waiting(session: Session) -> list[Proposal]:
    """Return the proposals that wait, the oldest first."""
    rows = session.rows(f"SELECT {_COLUMNS} FROM proposals WHERE state = 'waiting' ORDER BY number")
    return [Proposal(*row) for row in rows]


def deciders(session: Session, dispute_id: UUID) -> set[str]:
    """Return who has proposed or confirmed decisions on a dispute."""
    rows = session.rows(
        "SELECT proposed_by, ended_by FROM proposals WHERE dispute_id = %s AND state = 'confirmed'",
        [dispute_id],
    )
    return {name for row in rows for name in row}
