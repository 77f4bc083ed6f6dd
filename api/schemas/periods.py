"""Periods over the wire."""

from __future__ import annotations

from marshmallow import fields

from api.schemas.base import Choice, Moment, Money, Schema, Text
from clearinghouse.store.periods import STATES


class PositionView(Schema):
    """A system's net position: what it receives (+) or pays (−) for the period."""

    receivable = Money(required=True)
    payable = Money(required=True)
    fees = Money(required=True)
    vat = Money(required=True)
    adjustments = Money(required=True)
    net = Money(required=True)


class PeriodView(Schema):
    """A period: a calendar month in the alliance's time zone."""

    period = Text(7, least=7, pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", required=True)
    state = Choice(*STATES, required=True)
    published_at = Moment(required=True, allow_none=True)
    position = fields.Nested(PositionView, required=True, allow_none=True)
    statements = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "格式 formats in which the own statement is there"},
    )
