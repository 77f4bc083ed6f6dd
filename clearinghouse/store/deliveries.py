"""Sending events to webhooks: what is queued, what is due, and what came of it.

Several processes may do this at once: each takes rows that no other holds. What one has taken is not due
for others until a moment by which it must have been sent; if its process dies, it is taken again after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from clearinghouse.store import bulk
from clearinghouse.store.database import Session
from clearinghouse.store.outbox import Place

_NEW = bulk.table(
    "fresh", "webhook_id uuid, xact text, event bigint, system int, next_at timestamptz"
)
_SETTLED = "o.xact < pg_snapshot_xmin(pg_current_snapshot())"
_TAKEN = "webhook_id = %s AND xact = %s::xid8 AND event = %s AND state = 'pending' AND next_at = %s"
_BEHIND = "(o.xact, o.number) > (w.told_xact, w.told_number)"


class Lagging(NamedTuple):
    """A webhook that was told of events up to a place, and there are more."""

    webhook_id: UUID
    system: int | None
    kinds: list[str] | None
    told: Place


class Target(NamedTuple):
    """Where the deliveries of a webhook go, and its sealed secrets."""

    webhook_id: UUID
    system: int | None
    url: str
    sealed: bytes
    former_sealed: bytes | None
    former_until: datetime | None


class Due(NamedTuple):
    """A delivery that is taken; ``attempts`` were made before."""

    webhook_id: UUID
    place: Place
    attempts: int
    kind: str
    at: datetime
    payload: Any


class Record(NamedTuple):
    """What is to be recorded of an attempt; ``failure`` where no ``status`` tells why it failed."""

    place: Place
    state: str
    next_at: datetime
    status: int | None
    failure: str | None


def hold_lagging(session: Session, most_pending: int, limit: int) -> list[Lagging]:
    """Return enabled webhooks with events to queue, held; none that has ``most_pending`` deliveries waiting."""
    rows = session.rows(
        f"""
        SELECT w.webhook_id, w.system, w.kinds, w.told_xact::text, w.told_number FROM webhooks w
        WHERE w.disabled_at IS NULL
          AND (EXISTS (SELECT FROM outbox o WHERE o.system = w.system AND {_BEHIND} AND {_SETTLED})
               OR w.system IS NULL
               AND EXISTS (SELECT FROM outbox o WHERE o.system IS NULL AND {_BEHIND} AND {_SETTLED}))
          AND (SELECT count(*) FROM (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id
               AND d.state = 'pending' LIMIT %s) waiting) < %s
        LIMIT %s FOR NO KEY UPDATE OF w SKIP LOCKED
        """,
        [most_pending, most_pending, limit],
    )
    return [
        Lagging(webhook_id, system, kinds, Place(int(xact), number))
        for webhook_id, system, kinds, xact, number in rows
    ]


def queue(
    session: Session,
    webhook: Lagging,
    places: Sequence[Place],
    told: Place,
    due: datetime,
) -> None:
    """Queue events for a webhook, which is held, and note up to where it was told.

    What was sent before is sent again (a replay); what still waits goes on waiting.
    """
    if places:
        rows = [(webhook.webhook_id, str(p.xact), p.number, webhook.system, due) for p in places]
        session.run(
            "INSERT INTO webhook_deliveries AS known (webhook_id, xact, event, system, next_at)"
            f" SELECT f.webhook_id, f.xact::xid8, f.event, f.system, f.next_at FROM {_NEW.unnest()}"
            f" AS f ({', '.join(name for name, _ in _NEW.columns)})"
            " ON CONFLICT (webhook_id, xact, event) DO UPDATE"
            " SET state = 'pending', attempts = 0, next_at = excluded.next_at"
            " WHERE known.state <> 'pending'",
            bulk.arrays(rows),
        )
    session.run(
        "UPDATE webhooks SET told_xact = %s::xid8, told_number = %s WHERE webhook_id = %s",
        [str(told.xact), told.number, webhook.webhook_id],
    )


def due_targets(session: Session, now: datetime, busy: Sequence[UUID], limit: int) -> list[Target]:
    """Return enabled webhooks with deliveries that are due, longest waiting first, without the busy ones."""
    rows = session.rows(
        """
        SELECT w.webhook_id, w.system, w.url, w.sealed, w.former_sealed, w.former_until
        FROM webhooks w CROSS JOIN LATERAL (
            SELECT min(d.next_at) AS since FROM webhook_deliveries d
            WHERE d.webhook_id = w.webhook_id AND d.state = 'pending' AND d.next_at <= %s
        ) waiting
        WHERE w.disabled_at IS NULL AND waiting.since IS NOT NULL AND w.webhook_id <> ALL (%s::uuid[])
        ORDER BY waiting.since LIMIT %s
        """,
        [now, list(busy), limit],
    )
    return [
        Target(number, system, url, bytes(sealed), former and bytes(former), until)
        for number, system, url, sealed, former, until in rows
    ]


def take_due(
    session: Session, webhook_id: UUID, now: datetime, until: datetime, limit: int
) -> list[Due]:
    """Take deliveries of a webhook that are due and that nobody else has taken, in the order of events."""
    rows = session.rows(
        """
        WITH taken AS (
            UPDATE webhook_deliveries d SET next_at = %s FROM (
                SELECT xact, event FROM webhook_deliveries
                WHERE webhook_id = %s AND state = 'pending' AND next_at <= %s
                ORDER BY next_at, xact, event LIMIT %s FOR UPDATE SKIP LOCKED
            ) chosen
            WHERE d.webhook_id = %s AND d.xact = chosen.xact AND d.event = chosen.event
            RETURNING d.xact, d.event, d.attempts
        )
        SELECT t.xact::text, t.event, t.attempts, o.kind, o.at, o.payload
        FROM taken t JOIN outbox o ON o.number = t.event ORDER BY t.xact, t.event
        """,
        [until, webhook_id, now, limit, webhook_id],
    )
    return [Due(webhook_id, Place(int(row[0]), row[1]), *row[2:]) for row in rows]


def record(
    session: Session, webhook_id: UUID, taken_until: datetime, at: datetime, result: Record
) -> None:
    """Record an attempt, unless it was given up for lost and taken by another, or cancelled."""
    session.run(
        "UPDATE webhook_deliveries SET state = %s, attempts = attempts + 1, next_at = %s, last_at = %s,"
        f" last_status = %s, last_failure = %s WHERE {_TAKEN}",
        [
            *(result.state, result.next_at, at, result.status, result.failure),
            *(webhook_id, str(result.place.xact), result.place.number, taken_until),
        ],
    )


def hand_back(
    session: Session, webhook_id: UUID, taken_until: datetime, now: datetime, place: Place
) -> None:
    """Make a delivery that was taken and not attempted due again."""
    session.run(
        f"UPDATE webhook_deliveries SET next_at = %s WHERE {_TAKEN}",
        [now, webhook_id, str(place.xact), place.number, taken_until],
    )


def delivered_since(session: Session, webhook_id: UUID, moment: datetime) -> bool:
    """Tell whether a webhook has taken any event since a moment."""
    row = session.row(
        "SELECT true FROM webhook_deliveries WHERE webhook_id = %s AND state = 'delivered'"
        " AND last_at >= %s LIMIT 1",
        [webhook_id, moment],
    )
    return row is not None


def forget_ended(session: Session, before: datetime, limit: int) -> int:
    """Delete deliveries that ended before a moment; return how many."""
    return session.run(
        "DELETE FROM webhook_deliveries WHERE ctid IN (SELECT ctid FROM webhook_deliveries"
        " WHERE state <> 'pending' AND last_at < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, limit],
    )


def oldest_waiting_seconds(session: Session, now: datetime) -> float:
    """Return the age of the oldest event that is queued and not yet delivered; 0 if none is."""
    row = session.row(
        "SELECT extract(epoch FROM %s - min(o.at))::float8 FROM webhook_deliveries d"
        " JOIN outbox o ON o.number = d.event WHERE d.state = 'pending'",
        [now],
    )
    return 0.0 if row is None or row[0] is None else max(0.0, float(row[0]))
