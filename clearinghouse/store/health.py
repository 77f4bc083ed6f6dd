"""How the service is: the database, what is to be delivered, who is kept from signing in."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from clearinghouse.store.database import Session


class DatabaseHealth(NamedTuple):
    """The server and how much of it is used; ``longest_seconds`` is the age of its oldest open transaction."""

    version: str
    bytes: int
    connections: int
    most_connections: int
    longest_seconds: float


class DeliveryHealth(NamedTuple):
    """Events to be delivered to webhooks, and webhooks that take none any more and did not ask for it."""

    webhooks: int
    disabled: int
    pending: int


class Checked(NamedTuple):
    """The last time that the invariants were proved from the tables, and which did not hold."""

    at: datetime
    invariants: int
    failed: list[str]


def database(session: Session) -> DatabaseHealth:
    """Ask the server about itself."""
    row = session.row(
        "SELECT current_setting('server_version'), pg_database_size(current_database()),"
        " count(*) FILTER (WHERE backend_type = 'client backend'), current_setting('max_connections')::int,"
        " coalesce(max(extract(epoch FROM now() - xact_start))"
        "  FILTER (WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'), 0)::float8"
        " FROM pg_stat_activity WHERE datname = current_database()"
    )
    if row is None:
        raise RuntimeError("the server says nothing of itself")
    return DatabaseHealth(*row)


def writes_ended(session: Session) -> int:
    """Return how many transactions have ended that wrote: the highest number of one, in all books of the server."""
    row = session.row("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    return int(row[0]) if row else 0


def deliveries(session: Session) -> DeliveryHealth:
    """Count webhooks, and what waits for them."""
    row = session.row(
        "SELECT count(*), count(*) FILTER (WHERE disabled_why IN ('gone', 'exhausted')),"
        " (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending') FROM webhooks"
    )
    return DeliveryHealth(*row) if row else DeliveryHealth(0, 0, 0)


def pauses(session: Session, now: datetime) -> int:
    """Return how many logins and addresses have to wait before they may try to sign in again."""
    row = session.row("SELECT count(*) FROM sign_in_attempts WHERE until > %s", [now])
    return int(row[0]) if row else 0


def last_check(session: Session) -> Checked | None:
    """Return when the books were last checked, and with what result; ``None`` if it is not on record."""
    row = session.row(
        "SELECT at, (details ->> 'invariants')::int, details -> 'failed' FROM audit_log"
        " WHERE action = 'books.check' ORDER BY number DESC LIMIT 1"
    )
    return Checked(*row) if row else None
