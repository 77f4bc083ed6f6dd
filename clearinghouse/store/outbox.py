"""The outbox: what happened, recorded in the transaction in which it happened, to be told afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from clearinghouse.store.database import Session


def add(
    session: Session,
    at: datetime,
    kind: str,
    payload: Mapping[str, object],
    system: int | None = None,
) -> None:
    """Record an event; ``system`` is the one system that it concerns, ``None`` the operator alone."""
    session.run(
        "INSERT INTO outbox (at, kind, system, payload) VALUES (%s, %s, %s, %s)",
        [at, kind, system, json.dumps(payload, ensure_ascii=False)],
    )
