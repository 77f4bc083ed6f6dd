"""The audit log: what the operator and signed-in people did, with who, why and on whose approval; only added to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from clearinghouse.store.database import Session


def record(
    session: Session,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, object],
    *,
    system: int | None = None,
) -> None:
    """Record an action in the transaction that does it; ``details`` hold no personal data and no secrets.

    ``system`` is whose administrators may read it: what a system's own people did; ``None``: only the operator.
    """
    session.run(
        "INSERT INTO audit_log (at, actor, action, subject, details, system) VALUES (%s, %s, %s, %s, %s, %s)",
        [at, actor, action, subject, json.dumps(details, ensure_ascii=False, default=str), system],
    )


class Trace(NamedTuple):
    """A line of the audit log."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


def newest(
    session: Session,
    limit: int,
    *,
    before: int | None = None,
    system: int | None = None,
    action: str | None = None,
    actor: str | None = None,
) -> list[Trace]:
    """Return lines of the log, the newest first: of one system (``None``: all), an action's beginning, an actor."""
    rows = session.rows(
        "SELECT number, at, actor, action, subject, details FROM audit_log"
        " WHERE (%s::bigint IS NULL OR number < %s) AND (%s::int IS NULL OR system = %s)"
        " AND (%s::text IS NULL OR starts_with(action, %s)) AND (%s::text IS NULL OR actor = %s)"
        " ORDER BY number DESC LIMIT %s",
        [before, before, system, system, action, action, actor, actor, limit],
    )
    return [Trace(*row) for row in rows]
