"""The audit log: every operator action with who, why and on whose approval; only ever added to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from clearinghouse.store.database import Session


def record(
    session: Session,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, object],
) -> None:
    """Record an action in the transaction that does it; ``details`` hold no personal data and no secrets."""
    session.run(
        "INSERT INTO audit_log (at, actor, action, subject, details) VALUES (%s, %s, %s, %s, %s)",
        [at, actor, action, subject, json.dumps(details, ensure_ascii=False, default=str)],
    )
