"""Disputes over the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from api.http.pages import PageQuery
from api.schemas.base import Amount, Choice, HotelCode, Moment, Money, Schema, Text, Whole, money
from clearinghouse.domain.disputes import (
    ANSWERS,
    CLAIM_MAX,
    NO_ANSWER,
    REASON_CODES,
    REASONS,
    DisputeState,
)
from clearinghouse.domain.evidence import BYTES_MAX, MEDIA_TYPES, NAME_MAX, NAME_PATTERN

_TEXT_MAX = 2000
_LEGS_MAX = 100_000
_STATES = tuple(state.value for state in DisputeState)
#: Every reason and its meaning, for the reference page.
_MEANINGS = "\n".join(f"- `{reason.code}`: {reason.zh} · {reason.en}" for reason in REASONS)
_OPERATOR = {"description": "null: 清算所 the operator"}


class ClaimView(Schema):
    """What is asked of the respondent, in fen; the currency may be left out."""

    amount_minor = Amount(1, CLAIM_MAX, required=True)
    currency = Choice("CNY", load_default="CNY")


class NewDispute(Schema):
    """A leg of a published statement, and what is wrong with it."""

    transaction = Text(
        36,
        least=36,
        pattern="^txn_[0-9a-f]{32}$",
        required=True,
        metadata={"description": "对账单的 txn_id; as on the statement"},
    )
    leg_no = Whole(1, _LEGS_MAX, load_default=None)
    issuer_hotel = HotelCode(
        load_default=None,
        metadata={
            "description": "一笔交易有多行时：该行的 issuer_hotel where there are several lines"
        },
    )
    reason = Choice(*REASON_CODES, required=True, metadata={"description": _MEANINGS})
    text = Text(_TEXT_MAX, required=True)
    claim = fields.Nested(
        ClaimView,
        load_default=None,
        metadata={"description": "未填：该笔所余全部 left out: all that is left of the leg"},
    )


class DisputeAnswered(Schema):
    """What the respondent says."""

    answer = Choice(*ANSWERS, required=True)
    text = Text(_TEXT_MAX, required=True)


class DisputeEscalated(Schema):
    """Why another decision is asked for."""

    text = Text(_TEXT_MAX, required=True)


class DisputeQuery(PageQuery):
    """Which disputes."""

    state = Choice(*_STATES, load_default=None)


class Fen(Money):
    """Money that is given as fen and written as the API writes it."""

    # Of one kind of value, where marshmallow's takes any.
    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> Any:  # type: ignore[override]  # marshmallow's own signature is wider
        told = None if value is None else money(value)
        return super()._serialize(told, attr, obj, **options)  # type: ignore[no-untyped-call]  # untyped there


class StepView(Schema):
    """A state that a dispute reached, and what was said."""

    state = Choice(*_STATES, required=True)
    at = Moment(required=True)
    by = fields.String(required=True, allow_none=True, metadata=_OPERATOR)
    text = fields.String(required=True)
    upheld = Fen(
        attribute="upheld_minor",
        required=True,
        allow_none=True,
        metadata={"description": "裁定金额 what a decision gives the opener"},
    )


class EvidenceView(Schema):
    """A file that a party has brought."""

    id = fields.String(required=True)
    by = fields.String(required=True, allow_none=True, metadata=_OPERATOR)
    name = fields.String(required=True)
    media_type = Choice(*MEDIA_TYPES, required=True)
    size = Whole(1, BYTES_MAX, required=True)
    sha256 = fields.String(required=True)
    at = Moment(required=True)


class EvidenceQuery(Schema):
    """What a file is called."""

    name = Text(
        NAME_MAX,
        pattern=NAME_PATTERN,
        required=True,
        metadata={"description": "文件名，不含路径 the name of the file, without a path"},
    )


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
    claimed = Fen(attribute="claimed_minor", required=True)
    state = Choice(*_STATES, required=True)
    late = fields.Boolean(
        required=True,
        metadata={
            "description": "逾期提出 opened after the days that the rulebook of the leg gives"
        },
    )
    opened_at = Moment(required=True)
    answer_due_at = Moment(required=True)
    overdue = fields.Boolean(
        required=True,
        metadata={"description": "逾期未答复 both parties were told that no answer came in time"},
    )
    answer = Choice(
        *ANSWERS,
        NO_ANSWER,
        required=True,
        allow_none=True,
        metadata={"description": "none: 未答复即裁定 decided without an answer"},
    )
    answer_text = fields.String(required=True, allow_none=True)
    answered_at = Moment(required=True, allow_none=True)
    answer_late = fields.Boolean(required=True)
    upheld = Fen(
        attribute="upheld_minor",
        required=True,
        allow_none=True,
        metadata={
            "description": "现行裁定金额，驳回为 0 what the decision that stands gives; 0: rejected"
        },
    )
    decided_at = Moment(required=True, allow_none=True)
    escalate_until = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "可升级至 null: it can't be escalated, or not any more"},
    )
    escalated_by = fields.String(required=True, allow_none=True)
    escalated_at = Moment(required=True, allow_none=True)
    steps = fields.List(fields.Nested(StepView), required=True)
    evidence = fields.List(fields.Nested(EvidenceView), required=True)
