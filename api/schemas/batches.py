"""Batches of the night audit over the wire."""

from __future__ import annotations

from marshmallow import fields

from api.http.pages import Limit, PageQuery, page_of
from api.schemas.base import Choice, Moment, Schema, Text, Whole
from clearinghouse.operations.batches import BYTES_MAX, LINES_MAX, Format

RESULTS_LIMIT = 1000
_BATCH_ID = "^bat_[0-9a-f]{32}$"


class TotalsView(Schema):
    """How many lines there are of each outcome by now."""

    accepted = Whole(0, LINES_MAX, required=True)
    repeated = Whole(0, LINES_MAX, required=True)
    refused = Whole(0, LINES_MAX, required=True)
    invalid = Whole(0, LINES_MAX, required=True)


class BatchView(Schema):
    """A batch and how far it is."""

    batch_id = Text(36, pattern=_BATCH_ID, required=True)
    state = Choice("waiting", "running", "finished", required=True)
    format = Choice(*Format, required=True)
    received_at = Moment(required=True)
    finished_at = Moment(required=True, allow_none=True)
    size_bytes = Whole(0, BYTES_MAX, required=True)
    lines = Whole(
        0,
        LINES_MAX,
        required=True,
        metadata={"description": "lines that get a result; blank ones don't"},
    )
    answered = Whole(
        0, LINES_MAX, required=True, metadata={"description": "lines that have their result by now"}
    )
    totals = fields.Nested(TotalsView, required=True)


class ResultQuery(PageQuery):
    """How many results, and from where on."""

    limit = Limit(1, RESULTS_LIMIT, load_default=100)


class TillView(Schema):
    """What a till shows."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class ResultView(Schema):
    """What became of a line."""

    line = Whole(
        1,
        LINES_MAX + 1,
        required=True,
        metadata={"description": "counted from 1; of a CSV file, 1 is the header"},
    )
    host_hotel = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "as stated; null if the line can't be read"},
    )
    txn_ref = fields.String(required=True, allow_none=True)
    outcome = Choice("accepted", "repeated", "refused", "invalid", required=True)
    txn_id = Text(
        36, pattern="^txn_[0-9a-f]{32}$", required=True, allow_none=True,
        metadata={"description": "the transaction, of a repeated line the first one; else null"},
    )  # fmt: skip
    code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "why it is refused, or `line_invalid`"},
    )
    till = fields.Nested(TillView, required=True, allow_none=True)
    detail = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "which value can't be read, and why"},
    )


class ResultPage(page_of(ResultView)):  # type: ignore[misc]  # a base that is made
    """Results in the order of the lines, and the state of the batch."""

    state = Choice("waiting", "running", "finished", required=True)
