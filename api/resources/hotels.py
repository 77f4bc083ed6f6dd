"""``/v1/hotels``: where the card is honoured."""

from __future__ import annotations

from typing import Any

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import problems
from api.http.pages import page, page_of, place
from api.schemas.hotels import HotelQuery, HotelView
from clearinghouse.operations import honouring

blueprint = Blueprint("hotels", __name__, url_prefix="/v1/hotels", description="酒店 Hotels")


@blueprint.get("")
@needs("hotels:read")
@blueprint.arguments(HotelQuery, location="query")
@blueprint.response(200, page_of(HotelView))
def list_hotels(query: dict[str, Any]) -> dict[str, Any]:
    """List the hotels that honour the card today, by code."""
    limit = query["limit"]
    found = honouring.hotels(
        the_context(), caller(), after=place(query), most=limit + 1, city=query["city"], system=query["system"]
    )  # fmt: skip
    return page(found, limit, lambda hotel: hotel.code)


@blueprint.get("/<code>")
@needs("hotels:read")
@problems("not_found")
@blueprint.response(200, HotelView)
def show_hotel(code: str) -> honouring.HonouringHotel:
    """Look up one hotel."""
    return honouring.hotel(the_context(), caller(), code)
