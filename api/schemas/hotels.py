"""Hotels over the wire."""

from __future__ import annotations

from marshmallow import fields

from api.http.pages import PageQuery
from api.schemas.base import Day, HotelCode, Schema, Text


class HotelQuery(PageQuery):
    """Which hotels."""

    city = Text(
        200, load_default=None, metadata={"description": "城市 city, as written in the list"}
    )
    system = HotelCode(load_default=None, metadata={"description": "only hotels of this system"})


class SystemName(Schema):
    """A member of the alliance."""

    code = HotelCode(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class HotelView(Schema):
    """A hotel that honours every card of the alliance today."""

    code = HotelCode(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    city = fields.String(required=True)
    system = fields.Nested(SystemName, required=True)
    since = Day(
        required=True,
        allow_none=True,
        metadata={"description": "first business date with this system; null: from the beginning"},
    )
