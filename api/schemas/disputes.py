"""Disputes over the wire."""

from __future__ import annotations

from marshmallow import fields

from api.http.pages import PageQuery
from api.schemas.base import Choice, Moment, Schema, Text, Whole
from clearinghouse.domain.disputes import ANSWERS, REASON_CODES, REASONS, DisputeState

_TEXT_MAX = 2000
_LEGS_MAX = 100_000
_STATES = tuple(state.value for state in DisputeState)
#: Every reason and its meaning, for the reference page.
_MEANINGS = "\n".join(f"- `{reason.code}`: {reason.zh} · {reason.en}" for reason in REASONS)
_OPERATOR = {"description": "null: 清算所 the operator"}


class NewDispute(Schema):
    """A leg of a published statement, and what is wrong with it."""

    transaction = Text(
        36,
        least=36,
        pattern="^txn_[0-9a-f]{32}$",
        required=True,
        metadata={"description": "对账单的 txn_id; as on the statement"},
    )
    leg_no = Whole(1, _LEGS_MAX, load_default=1)
    reason = Choice(*REASON_CODES, required=True, metadata={"description": _MEANINGS})
    text = Text(_TEXT_MAX, required=True)


class DisputeAnswered(Schema):
    """What the respondent says."""

    answer = Choice(*ANSWERS, required=True)
    text = Text(_TEXT_MAX, required=True)


class DisputeQuery(PageQuery):
    """Which disputes."""

    state = Choice(*_STATES, load_default=None)


class StepView(Schema):
    """A state that a dispute reached."""

    state = Choice(*_STATES, required=True)
    at = Moment(required=True)
    by = fields.String(required=True, allow_none=True, metadata=_OPERATOR)


class DisputeView(Schema):
    """A dispute."""

    id = fields.String(required=True)
    transaction = fields.String(required=True)
    leg_no = Whole(1, _LEGS_MAX, required=True)
    period = fields.String(required=True)
    opened_by = fields.String(required=True)
    respondent = fields.String(required=True, allow_none=True, metadata=_OPERATOR)
    reason = Choice(*REASON_CODES, required=True)
    text = fields.String(required=True)
    state = Choice(*_STATES, required=True)
    late = fields.Boolean(
        required=True,
        metadata={
            "description": "逾期提出 opened after the days that the rulebook of the leg gives"
        },
    )
    opened_at = Moment(required=True)
    answer_due_at = Moment(required=True)
    answer = Choice(*ANSWERS, required=True, allow_none=True)
    answer_text = fields.String(required=True, allow_none=True)
    answered_at = Moment(required=True, allow_none=True)
    answer_late = fields.Boolean(required=True)
    decided_at = Moment(required=True, allow_none=True)
    steps = fields.List(fields.Nested(StepView), required=True)
