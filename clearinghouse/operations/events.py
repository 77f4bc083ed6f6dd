"""Events: what a system is told of, in an order that never changes, from any place on (interfaces.md "HTTP").

The id of an event is its place in the order, hidden so that it doesn't tell how busy the alliance is. An id
is good as a place only if the event exists and is the party's own, so a made-up or foreign one leads nowhere.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from clearinghouse.domain.errors import CursorInvalid, SystemClientNeeded
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import outbox
from clearinghouse.store.database import Session
from clearinghouse.store.outbox import BEGINNING, Place
from clearinghouse.store.vault import Vault

_PREFIX = "evt_"
_TEXT_LENGTH = 26


class Event(NamedTuple):
    """An event as its party may see it."""

    id: str
    kind: str
    at: datetime
    data: dict[str, Any]


class EventPage(NamedTuple):
    """Some events in order, and whether there are more behind the last."""

    events: list[Event]
    more: bool


def events_after(
    context: Context,
    party: Party,
    after: str | None,
    limit: int,
    kinds: Sequence[str] | None = None,
) -> EventPage:
    """Return the party's events behind one of them (``None``: from the beginning), of some kinds or of all.

    An event that commits late still comes: whatever was not told yet stands behind what was.

    Raises:
        CursorInvalid: ``after`` is no event of this party.
        SystemClientNeeded: the client is bound to some hotels, and events tell of all.
    """
    with seeing(context, party) as session:
        place = find_place(session, context.vault, party, after) if after else BEGINNING
        wanted = None if kinds is None else list(kinds)
        found = outbox.after(session, party.system, place, wanted, limit + 1)
    events = [
        Event(event_id(context.vault, row.place), row.kind, row.at, row.payload)
        for row in found[:limit]
    ]
    return EventPage(events, len(found) > limit)


def event_id(vault: Vault, place: Place) -> str:
    """Return the public id of the event at a place."""
    hidden = vault.hide("event", struct.pack(">QQ", *place))
    return _PREFIX + base64.b32encode(hidden).decode().rstrip("=").lower()


def find_place(session: Session, vault: Vault, party: Party, event: str) -> Place:
    """Return the place of a party's event.

    Raises:
        CursorInvalid: this party has no such event.
    """
    place = _place(vault, event)
    if place is None or not outbox.exists(session, party.system, place):
        raise CursorInvalid("there is no such event to go on from")
    return place


def refuse_part(party: Party) -> None:
    """Refuse a client that is bound to some hotels: what is told of a system tells of all of them.

    Raises:
        SystemClientNeeded: it is.
    """
    if party.hotels is not None:
        raise SystemClientNeeded("this needs a client of the whole system, not of some hotels")


@contextmanager
def seeing(context: Context, party: Party) -> Iterator[Session]:
    """Open a transaction that reads for a party: a system behind row-level security, the operator without.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
    """
    refuse_part(party)
    database = context.database
    with database.office() if party.is_operator else database.reading(party.system) as session:
        yield session


def _place(vault: Vault, event: str) -> Place | None:
    """Return the place that an id says; noise for a made-up one, ``None`` for what is no id."""
    text = event.removeprefix(_PREFIX)
    if not event.startswith(_PREFIX) or len(text) != _TEXT_LENGTH or text != text.lower():
        return None
    try:
        hidden = base64.b32decode(text.upper() + "=" * 6)
    except (binascii.Error, ValueError):
        return None
    place = Place(*struct.unpack(">QQ", vault.reveal("event", hidden)))
    # A made-up id may say a number that no bigint can hold. Spare bits may not be set: an event has one id.
    return place if place.number < 1 << 63 and event_id(vault, place) == event else None
