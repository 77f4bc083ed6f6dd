"""Events: what happened, in an order that never changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clearinghouse.client.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; what ``data`` has depends on its type."""

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _EventPage:
    data: tuple[Event, ...]
    next_cursor: str | None = None


class Events:
    """``/v1/events``; needs ``events:read`` and a client of the whole system."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def after(self, event_id: str | None = None, *, kind: str | None = None) -> Iterator[Event]:
        """Yield all events behind one of them (``None``: from the beginning) until there are no more for now.

        Keep the id of the last one that is done with; behind it goes on what comes later.
        """
        while True:
            page = self._transport.get(
                _EventPage, "/v1/events", after=event_id, kind=kind, limit=100
            )
            yield from page.data
            event_id = page.next_cursor
            if event_id is None:
                return
