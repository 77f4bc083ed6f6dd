"""Transactions and authorisations as hotels send and see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from api.http.pages import PageQuery
from api.schemas.base import (
    Amount,
    CardNumber,
    Choice,
    Day,
    HotelCode,
    Moment,
    Money,
    MoneyView,
    Reference,
    Schema,
    Text,
    Whole,
)
from clearinghouse.domain.holds import HoldState
from clearinghouse.domain.transactions import Kind
from clearinghouse.operations.packs.fields import AMOUNT_MAX

_MOST = 1000 * AMOUNT_MAX
CARD_ID = r"^card_[a-z2-7]{26}$"


def _only(name: str, other: str) -> dict[str, Any]:
    """Tell that one member is there and another one is not."""
    return {
        "required": [name],
        "properties": {name: {"type": "string"}, other: {"type": "null"}},
    }


class MoneyStated(Schema):
    """An amount of money in fen; the currency may be left out."""

    amount_minor = Amount(required=True)
    currency = Choice("CNY", load_default="CNY")


class _Happened(Schema):
    """When something happened, by the hotel's calendar and by the clock."""

    business_date = Day(required=True)
    occurred_at = Moment(required=True)
    amount = fields.Nested(MoneyStated, load_default=None, allow_none=True)
    points = Amount(load_default=None, allow_none=True)


class _WithCard(_Happened):
    """What is stated of a card, by its number or by the id that a look-up gave."""

    host_hotel = HotelCode(required=True)
    txn_ref = Reference(required=True)
    card_number = CardNumber(load_default=None)
    card_id = Text(31, least=31, pattern=CARD_ID, load_default=None)

    rules: ClassVar[Mapping[str, Any]] = {
        "oneOf": [_only("card_number", "card_id"), _only("card_id", "card_number")]
    }

    @validates_schema
    def _one_card(self, data: dict[str, Any], **_: Any) -> None:
        if (data.get("card_number") is None) == (data.get("card_id") is None):
            raise ValidationError("Give card_number or card_id, one of the two.", "card_number")


class TransactionStated(_WithCard):
    """A transaction as its host states it; ``original_txn_ref`` is for refunds."""

    kind = Choice(*(kind.value for kind in Kind), required=True)
    original_txn_ref = Reference(load_default=None, allow_none=True)


class AuthorizationStated(_WithCard):
    """What is to be held; ``txn_ref`` is that of the transaction that is to come of it."""

    kind = Choice(Kind.REDEEM.value, Kind.STORED_VALUE_SPEND.value, required=True)


class RefundStated(_Happened):
    """All or part of an earlier transaction, to be given back."""

    txn_ref = Reference(required=True)


class CaptureStated(_Happened):
    """All or part of what is held, to be used; without ``txn_ref`` it has the authorisation's."""

    txn_ref = Reference(load_default=None, allow_none=True)


class Sentence(Schema):
    """A sentence for the till."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class OriginalView(Schema):
    """The transaction that a refund reverses."""

    id = fields.String(required=True)
    txn_ref = fields.String(required=True)


class LotView(Schema):
    """What was added to (+) or taken from (−) one lot."""

    lot = fields.String(required=True)
    issuer_hotel = fields.String(required=True)
    issuer_system = fields.String(required=True, allow_none=True)
    points = Whole(-_MOST, _MOST, required=True, allow_none=True)
    amount = fields.Nested(MoneyView, required=True, allow_none=True)
    expires_on = fields.Date(required=True, allow_none=True)


class LegView(Schema):
    """What the transaction means between two systems, and what it costs the host."""

    leg_no = Whole(1, _MOST, required=True)
    fee_kind = Choice("spend", "redeem", "stored_value", required=True)
    issuer_hotel = fields.String(required=True)
    issuer_system = fields.String(required=True)
    host_system = fields.String(required=True)
    is_cross_system = fields.Boolean(required=True)
    reason = Choice("own_system", "cross_system", required=True)
    rulebook_version = fields.String(required=True)
    points = Whole(-_MOST, _MOST, required=True, allow_none=True)
    base = Money(required=True)
    obligation = Money(required=True)
    fee = Money(required=True)
    fee_rate_ppm = Whole(0, _MOST, required=True)
    explanation = fields.Nested(Sentence, required=True)


class TransactionView(Schema):
    """A transaction in the books, with all that explains it."""

    id = fields.String(required=True)
    kind = Choice(*(kind.value for kind in Kind), required=True)
    host_hotel = fields.String(required=True)
    host_system = fields.String(required=True)
    txn_ref = fields.String(required=True)
    original = fields.Nested(OriginalView, required=True, allow_none=True)
    card_id = fields.String(required=True)
    business_date = fields.Date(required=True)
    occurred_at = Moment(required=True)
    posted_at = Moment(required=True)
    period = fields.String(required=True)
    late = fields.Boolean(required=True)
    amount = fields.Nested(MoneyView, required=True, allow_none=True)
    points = Whole(0, _MOST, required=True, allow_none=True)
    earn_points_per_yuan = fields.String(required=True, allow_none=True)
    rulebook_version = fields.String(required=True)
    lots = fields.List(fields.Nested(LotView), required=True)
    legs = fields.List(fields.Nested(LegView), required=True)
    fee = Money(required=True)
    till = fields.Nested(Sentence, required=True)


class AuthorizationView(Schema):
    """A hold, and what became of it."""

    id = fields.String(required=True)
    kind = Choice(Kind.REDEEM.value, Kind.STORED_VALUE_SPEND.value, required=True)
    state = Choice(*(state.value for state in HoldState), required=True)
    host_hotel = fields.String(required=True)
    txn_ref = fields.String(required=True)
    card_id = fields.String(required=True)
    business_date = fields.Date(required=True)
    occurred_at = Moment(required=True)
    held_at = Moment(required=True)
    expires_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)
    amount = fields.Nested(MoneyView, required=True, allow_none=True)
    points = Whole(0, _MOST, required=True, allow_none=True)
    captured_amount = fields.Nested(MoneyView, required=True, allow_none=True)
    captured_points = Whole(0, _MOST, required=True, allow_none=True)
    transaction = fields.String(required=True, allow_none=True)
    rulebook_version = fields.String(required=True)
    till = fields.Nested(Sentence, required=True)


class TransactionQuery(PageQuery):
    """Which transactions, and how many of them."""

    host_hotel = HotelCode(load_default=None)
    kind = Choice(*(kind.value for kind in Kind), load_default=None)
    txn_ref = Reference(load_default=None)
    business_date = Day(load_default=None)
