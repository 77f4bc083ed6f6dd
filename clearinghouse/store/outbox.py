"""The outbox: what happened, recorded in the transaction in which it happened, to be told afterwards.

Events are numbered when they are written and seen when they commit, which is another order. A cursor on the
number alone would pass over an event that was numbered early and committed late. So events are read in the
order (transaction, number), and only those of transactions older than any that is still running: nothing
can appear before a place that was read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from clearinghouse.domain.events import EVENT_NAMES
from clearinghouse.store.bulk import Batch, table
from clearinghouse.store.database import Session

#: Events of transactions that nothing running can precede.
_SETTLED = "xact < pg_snapshot_xmin(pg_current_snapshot())"


class Place(NamedTuple):
    """Where an event stands: the transaction that wrote it, and its number."""

    xact: int
    number: int


#: Before every event.
BEGINNING = Place(0, 0)


class StoredEvent(NamedTuple):
    """An event as it is stored."""

    place: Place
    at: datetime
    kind: str
    payload: Any


def add(
    session: Session,
    at: datetime,
    kind: str,
    payload: Mapping[str, object],
    system: int | None = None,
) -> Place:
    """Record an event; ``system`` is the one system that it concerns, ``None`` the operator alone.

    Raises:
        ValueError: the kind is not in the table of kinds (``domain.events``).
    """
    if kind not in EVENT_NAMES:
        raise ValueError(f"there is no kind of event {kind!r}; add it to EVENT_KINDS")
    row = session.row(
        "INSERT INTO outbox (at, kind, system, payload) VALUES (%s, %s, %s, %s)"
        " RETURNING xact::text, number",
        [at, kind, system, json.dumps(payload, ensure_ascii=False)],
    )
    return _place(*row) if row else BEGINNING


class NewEvent(NamedTuple):
    """An event to record: its kind, what it says, and the one system that it concerns."""

    kind: str
    payload: Mapping[str, object]
    system: int


NEW_EVENTS = table("outbox", "at timestamptz, kind text, system int, payload jsonb")


def add_all(batch: Batch, at: datetime, events: Sequence[NewEvent]) -> None:
    """Add many events to a batch, in their order; their kinds are names of our own code's."""
    batch.insert(
        NEW_EVENTS,
        [(at, e.kind, e.system, json.dumps(e.payload, ensure_ascii=False)) for e in events],
    )


def after(
    session: Session, system: int | None, place: Place, kinds: Sequence[str] | None, limit: int
) -> list[StoredEvent]:
    """Return the events of one system (``None``: the operator's own) behind a place, in order."""
    # By the column: "xact" alone would be the text in the answer, of which 100000 comes before 99999.
    rows = session.rows(
        f"SELECT xact::text, number, at, kind, payload FROM outbox WHERE {_concerning(system)}"
        f" AND (xact, number) > (%s::xid8, %s) AND {_SETTLED}"
        " AND (%s::text[] IS NULL OR kind = ANY(%s)) ORDER BY outbox.xact, number LIMIT %s",
        [*_named(system), str(place.xact), place.number, kinds, kinds, limit],
    )
    return [StoredEvent(_place(*row[:2]), *row[2:]) for row in rows]


def exists(session: Session, system: int | None, place: Place) -> bool:
    """Tell whether an event stands at a place and concerns that system."""
    row = session.row(
        f"SELECT true FROM outbox WHERE {_concerning(system)} AND xact = %s::xid8 AND number = %s",
        [*_named(system), str(place.xact), place.number],
    )
    return row is not None


def present(session: Session) -> Place:
    """Return the place behind which everything that is yet to commit will stand."""
    row = session.row("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    return Place(int(row[0]), 0) if row else BEGINNING


def _concerning(system: int | None) -> str:
    """Return the condition on the system, so that each of the two forms can use the index."""
    return "system IS NULL" if system is None else "system = %s"


def _named(system: int | None) -> list[object]:
    return [] if system is None else [system]


def _place(xact: str, number: int) -> Place:
    return Place(int(xact), number)
