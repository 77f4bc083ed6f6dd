"""Webhooks as their owner keeps them: address, kinds, secrets, state; and what became of each sending.

Whoever needs both locks a webhook before its deliveries: the other way round two would wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clearinghouse.store.database import Session
from clearinghouse.store.outbox import Place

#: First key of the advisory lock under which a system's webhooks are added one after another.
_LIST_LOCK = 727019
_COLUMNS = (
    "webhook_id, url, kinds, created_at, disabled_at, disabled_why, public_key,"
    " former_public_key, former_until"
)
# NULL is the operator, whose webhooks are few like everyone's: no index needed.
_OWNED = "system IS NOT DISTINCT FROM %s AND webhook_id = %s"


class Webhook(NamedTuple):
    """A webhook without its secrets; ``kinds`` is ``None`` for all. ``former_…``: after a rotation."""

    webhook_id: UUID
    url: str
    kinds: list[str] | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    public_key: bytes
    former_public_key: bytes | None
    former_until: datetime | None


class Keys(NamedTuple):
    """The secrets of a webhook as they are stored, and the public half of the second."""

    sealed: bytes
    public_key: bytes


class Delivery(NamedTuple):
    """What became of sending one event to one webhook."""

    place: Place
    kind: str
    state: str
    attempts: int
    next_at: datetime
    last_at: datetime | None
    last_status: int | None
    last_failure: str | None


def hold_list(session: Session, system: int | None) -> None:
    """Let nobody else add a webhook to a system until this transaction ends."""
    session.row("SELECT pg_advisory_xact_lock(%s, %s)", [_LIST_LOCK, system or 0])


def webhooks(session: Session, system: int | None) -> list[Webhook]:
    """Return the webhooks of a system, oldest first."""
    sql = (
        f"SELECT {_COLUMNS} FROM webhooks WHERE system IS NOT DISTINCT FROM %s"
        " ORDER BY created_at, webhook_id"
    )
    return [Webhook(*row) for row in session.rows(sql, [system])]


def webhook(session: Session, system: int | None, webhook_id: UUID) -> Webhook | None:
    """Return a webhook of a system."""
    row = session.row(f"SELECT {_COLUMNS} FROM webhooks WHERE {_OWNED}", [system, webhook_id])
    return Webhook(*row) if row else None


def hold(session: Session, system: int | None, webhook_id: UUID) -> Webhook | None:
    """Return a webhook of a system and let nobody else change it until this transaction ends."""
    row = session.row(
        f"SELECT {_COLUMNS} FROM webhooks WHERE {_OWNED} FOR NO KEY UPDATE", [system, webhook_id]
    )
    return Webhook(*row) if row else None


def add(
    session: Session,
    webhook_id: UUID,
    system: int | None,
    url: str,
    kinds: Sequence[str] | None,
    keys: Keys,
    since: Place,
    at: datetime,
) -> None:
    """Record a webhook, to be told of what stands behind a place."""
    session.run(
        "INSERT INTO webhooks (webhook_id, system, url, kinds, created_at, told_xact, told_number,"
        " sealed, public_key) VALUES (%s, %s, %s, %s, %s, %s::xid8, %s, %s, %s)",
        [webhook_id, system, url, kinds, at, str(since.xact), since.number, *keys],
    )


def change(session: Session, webhook_id: UUID, url: str, kinds: Sequence[str] | None) -> None:
    """Change where a webhook leads and what it is told."""
    session.run(
        "UPDATE webhooks SET url = %s, kinds = %s WHERE webhook_id = %s", [url, kinds, webhook_id]
    )


def disable(session: Session, webhook_id: UUID, why: str, at: datetime) -> None:
    """Send nothing more to a webhook: what is pending is cancelled."""
    session.run(
        "UPDATE webhooks SET disabled_at = %s, disabled_why = %s WHERE webhook_id = %s",
        [at, why, webhook_id],
    )
    session.run(
        "UPDATE webhook_deliveries SET state = 'cancelled', last_at = coalesce(last_at, %s)"
        " WHERE webhook_id = %s AND state = 'pending'",
        [at, webhook_id],
    )


def enable(session: Session, webhook_id: UUID, since: Place) -> None:
    """Send to a webhook again what stands behind a place."""
    session.run(
        "UPDATE webhooks SET disabled_at = NULL, disabled_why = NULL, told_xact = %s::xid8,"
        " told_number = %s WHERE webhook_id = %s",
        [str(since.xact), since.number, webhook_id],
    )


def delete(session: Session, webhook_id: UUID) -> None:
    """Forget a webhook and its deliveries."""
    session.run("DELETE FROM webhooks WHERE webhook_id = %s", [webhook_id])


def rotate(session: Session, webhook_id: UUID, keys: Keys, former_until: datetime | None) -> None:
    """Give a webhook new secrets; the former ones sign too until a moment, or not at all from now on."""
    session.run(
        "UPDATE webhooks SET sealed = %s, public_key = %s, former_until = %s::timestamptz,"
        " former_sealed = CASE WHEN %s::timestamptz IS NOT NULL THEN sealed END,"
        " former_public_key = CASE WHEN %s::timestamptz IS NOT NULL THEN public_key END"
        " WHERE webhook_id = %s",
        [*keys, former_until, former_until, former_until, webhook_id],
    )


def go_back(session: Session, webhook_id: UUID, place: Place) -> None:
    """Tell a webhook again what stands behind a place; one that lies ahead changes nothing."""
    session.run(
        "UPDATE webhooks SET told_xact = %s::xid8, told_number = %s"
        " WHERE webhook_id = %s AND (told_xact, told_number) > (%s::xid8, %s)",
        [str(place.xact), place.number, webhook_id, str(place.xact), place.number],
    )


def send_again(
    session: Session, webhook_id: UUID, system: int | None, place: Place, now: datetime
) -> None:
    """Make the delivery of one event due now, as if for the first time."""
    session.run(
        "INSERT INTO webhook_deliveries AS known (webhook_id, xact, event, system, next_at)"
        " VALUES (%s, %s::xid8, %s, %s, %s) ON CONFLICT (webhook_id, xact, event) DO UPDATE"
        " SET state = 'pending', attempts = 0, next_at = excluded.next_at",
        [webhook_id, str(place.xact), place.number, system, now],
    )


def deliveries(
    session: Session, webhook_id: UUID, before: Place | None, limit: int
) -> list[Delivery]:
    """Return the deliveries of a webhook, latest event first, from before a place on."""
    bound = "AND (d.xact, d.event) < (%s::xid8, %s)" if before else ""
    rows = session.rows(
        "SELECT d.xact::text, d.event, o.kind, d.state, d.attempts, d.next_at, d.last_at,"
        " d.last_status, d.last_failure FROM webhook_deliveries d JOIN outbox o ON o.number = d.event"
        f" WHERE d.webhook_id = %s {bound} ORDER BY d.xact DESC, d.event DESC LIMIT %s",
        [webhook_id, *([str(before.xact), before.number] if before else []), limit],
    )
    return [Delivery(Place(int(row[0]), row[1]), *row[2:]) for row in rows]
