"""A problem as it goes over the wire (RFC 9457)."""

from __future__ import annotations

from marshmallow import fields

from api.schemas.base import Schema, Text, Whole


class ProblemPlace(Schema):
    """What is wrong at one place of the request."""

    pointer = fields.String(required=True, metadata={"description": "JSON pointer (RFC 6901)"})
    detail = fields.String(required=True)


class TillSentences(Schema):
    """What the till shows its guest."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class ProblemSchema(Schema):
    """What went wrong, in Chinese or English by ``Accept-Language``; ``code`` is stable."""

    type = fields.String(required=True, metadata={"description": "where the code is explained"})
    title = fields.String(required=True)
    status = Whole(400, 599, required=True)
    detail = fields.String(required=True)
    code = Text(64, pattern="^[a-z0-9_]+$", required=True)
    errors = fields.List(fields.Nested(ProblemPlace), required=True)
    request_id = fields.String(required=True)
    till = fields.Nested(
        TillSentences, metadata={"description": "of a refusal: a sentence for the till"}
    )
    error = fields.String(metadata={"description": "at /oauth/token: the code of RFC 6749"})
    error_description = fields.String()
