"""``/v1/events``: what happened, in an order that never changes, from any place on."""

from __future__ import annotations

from typing import Any

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import problems
from api.http.pages import page_of
from api.schemas.events import EventQuery, EventView
from clearinghouse.operations import events

blueprint = Blueprint("events", __name__, url_prefix="/v1/events", description="事件 Events")


@blueprint.get("")
@needs("events:read")
@problems("system_client_needed")
@blueprint.arguments(EventQuery, location="query")
@blueprint.response(200, page_of(EventView))
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """List the system's events in order.

    Keep the id of the last event that you have handled and ask for what is behind it: nothing is ever inserted before
    an event that you have seen. `next_cursor` is the `after` of the next page, null if there is no more for now.
    """
    kinds = None if query["kind"] is None else [query["kind"]]
    found = events.events_after(the_context(), caller(), query["after"], query["limit"], kinds)
    rows = [
        {"id": event.id, "type": event.kind, "timestamp": event.at, "data": event.data}
        for event in found.events
    ]
    return {"data": rows, "next_cursor": found.events[-1].id if found.more else None}
