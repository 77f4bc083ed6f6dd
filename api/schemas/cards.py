"""Cards, their treatment and balance, and enrolments over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from api.schemas.base import (
    Amount,
    CardNumber,
    Choice,
    Day,
    HotelCode,
    Moment,
    Money,
    Reference,
    Schema,
    Text,
    Whole,
)
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations.enrol import Outcome
from clearinghouse.operations.packs.fields import AMOUNT_MAX, LEVEL_MAX, NAME_MAX

_MOST = AMOUNT_MAX * 1000
_STATES = [state.value for state in CardState]
_REASON_MAX = 200
_CODE_MAX = 1000
_CODE = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
_RATE = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"


def _said(text: str) -> dict[str, Any]:
    return {"metadata": {"description": text}}


class CardLookup(Schema):
    """The number of a card, or the code that its holder shows; both travel in bodies only."""

    card_number = CardNumber()
    card_code = Text(
        _CODE_MAX,
        pattern=_CODE,
        **_said("客人手机或打印卡上的会员码 the code on the guest's phone or paper"),
    )

    rules: ClassVar[Mapping[str, Any]] = {
        "oneOf": [{"required": ["card_number"]}, {"required": ["card_code"]}],
    }

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if ("card_number" in data) == ("card_code" in data):
            raise ValidationError("Give card_number or card_code, one of them.", "card_number")


class AtHotel(Schema):
    """One of the caller's hotels."""

    hotel = HotelCode(required=True, **_said("在哪家酒店 the hotel where the guest stands"))


class CardPatch(Schema):
    """What shall change of a card: its tier, its status, or both."""

    tier_code = Reference(**_said("本系统的等级 a tier of the system's own programme"))
    tier_from = Day(**_said("等级自哪个营业日起 from which business date on; today if left out"))
    status = Choice("active", "suspended", "closed", **_said("closed is for good"))
    reason = Text(_REASON_MAX, least=0, load_default="", **_said("为何 why; no personal data"))

    rules: ClassVar[Mapping[str, Any]] = {
        "anyOf": [{"required": ["tier_code"]}, {"required": ["status"]}],
        "dependentRequired": {"tier_from": ["tier_code"]},
    }

    @validates_schema
    def _something(self, data: dict[str, Any], **_: Any) -> None:
        if "tier_code" not in data and "status" not in data:
            raise ValidationError("Give tier_code, status, or both.", "status")
        if "tier_from" in data and "tier_code" not in data:
            raise ValidationError("Needs tier_code.", "tier_from")


class CardReplacement(Schema):
    """A card in the place of one that was lost."""

    card_number = CardNumber(
        load_default=None, **_said("预制卡的卡号 of a printed card; left out: made for you")
    )
    reason = Text(_REASON_MAX, least=0, load_default="", **_said("为何 why; no personal data"))


class BenefitView(Schema):
    """A benefit, in Chinese and English; the same text twice where the programme has it in one language."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class TreatmentView(Schema):
    """How a card is treated here today, and why."""

    system = HotelCode(required=True, **_said("按哪个系统的会员体系 whose programme"))
    business_date = Day(required=True)
    tier_code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    alliance_level = Whole(-LEVEL_MAX, LEVEL_MAX, required=True)
    card_level = Whole(
        -LEVEL_MAX, LEVEL_MAX, required=True, **_said("卡的联盟级别 the card's own level")
    )
    benefits = fields.List(fields.Nested(BenefitView), required=True)
    earn_points_per_yuan = Text(11, pattern=_RATE, required=True, **_said("decimal number"))
    discount_percent = Whole(-100, 100, required=True)
    rulebook_version = fields.String(required=True, allow_none=True)
    reason = Choice("own_system", "reciprocal", required=True)
    sentence = fields.String(required=True, **_said("by Accept-Language"))


class HeldTierView(Schema):
    """A tier that the card was given on a date, at the level that the tier had then."""

    tier_code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    alliance_level = Whole(-LEVEL_MAX, LEVEL_MAX, required=True)
    given_on = Day(required=True)


class OwnCardView(Schema):
    """What only the card's own system sees."""

    issuer_hotel = HotelCode(required=True)
    issued_on = Day(required=True)
    tiers = fields.List(fields.Nested(HeldTierView), required=True, **_said("oldest first"))
    holder_name = fields.String(required=True, allow_none=True)
    holder_phone_masked = fields.String(required=True, allow_none=True)
    status_since = Moment(required=True, allow_none=True)
    status_reason = fields.String(required=True, allow_none=True)
    replaced_by = fields.String(required=True, allow_none=True, **_said("the card in its place"))


class CardView(Schema):
    """A card as the caller's system may see it; ``own`` is null for a visiting card."""

    card_id = fields.String(
        required=True, **_said("本系统专用的卡标识 another one for every system")
    )
    card_masked = fields.String(required=True)
    status = Choice(*_STATES, required=True)
    is_own_system = fields.Boolean(required=True)
    treatment = fields.Nested(
        TreatmentView, required=True, allow_none=True, **_said("null unless active")
    )
    own = fields.Nested(OwnCardView, required=True, allow_none=True)


class PendingPoints(Schema):
    """Points that become usable on a day."""

    usable_from = Day(required=True)
    points = Amount(0, _MOST, required=True)


class ExpiringPoints(Schema):
    """Points that are usable to the end of a day, whoever issued them."""

    expires_on = Day(required=True)
    points = Amount(0, _MOST, required=True)


class PointsView(Schema):
    """Points that can be used here now, in total and how many of them the host's own system issued."""

    usable = Amount(0, _MOST, required=True)
    own_system = Amount(0, _MOST, required=True)
    worth = Money(required=True, allow_none=True)
    pending = Amount(0, _MOST, required=True)
    held = Amount(0, _MOST, required=True)
    owed = Amount(
        0, _MOST, required=True, **_said("所欠积分 debts since refunds, deducted already")
    )
    becoming_usable = fields.List(fields.Nested(PendingPoints), required=True)
    expiring = fields.List(fields.Nested(ExpiringPoints), required=True)


class StoredValueView(Schema):
    """Stored value that can be used here now, in total and how much of it the host's own system issued."""

    usable = Money(required=True)
    own_system = Money(required=True)
    held = Money(required=True)


class WhyNotView(Schema):
    """Why so many points, or so much stored value in fen, can't be used here now."""

    asset = Choice("points", "stored_value", required=True)
    code = fields.String(required=True, **_said("that of the refusal, where it would be one"))
    amount = Amount(0, _MOST, required=True)
    sentence = fields.String(required=True, **_said("by Accept-Language"))


class BalanceView(Schema):
    """What a card can spend at one hotel now. The split by issuer is the traveller's own business."""

    card_id = fields.String(required=True)
    card_masked = fields.String(required=True)
    status = Choice(*_STATES, required=True)
    hotel = HotelCode(required=True)
    business_date = Day(required=True)
    rulebook_version = fields.String(required=True, allow_none=True)
    points = fields.Nested(PointsView, required=True)
    stored_value = fields.Nested(StoredValueView, required=True)
    why_not = fields.List(fields.Nested(WhyNotView), required=True)


class EnrolmentStated(Schema):
    """A person who wants a card."""

    hotel = HotelCode(required=True, **_said("发卡酒店 the issuing hotel"))
    tier_code = Reference(required=True)
    name = Text(NAME_MAX, required=True)
    phone = Text(40, required=True, **_said("任意写法 however it is written; without +: of China"))
    email = Text(254, least=0, load_default="")


class EnrolmentView(Schema):
    """An enrolment that waits for the code that went to the phone."""

    enrolment_id = fields.String(required=True)
    expires_at = Moment(required=True)


class EnrolmentCode(Schema):
    """The code that the traveller tells, and the number of a printed card."""

    code = Text(12, required=True)
    card_number = CardNumber(
        load_default=None, **_said("预制卡的卡号 of a printed card; left out: made for you")
    )


class EnrolledView(Schema):
    """The card that was issued, or the one that the person had in this system already."""

    outcome = Choice(Outcome.ISSUED.value, Outcome.ALREADY_OWN_MEMBER.value, required=True)
    card = fields.Nested(CardView, required=True)
