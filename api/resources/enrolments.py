"""``/v1/enrolments``: a code to the phone, then the no-harm check, then the card."""

from __future__ import annotations

from typing import Any

from api.card_documents import card_document, told_in
from api.http.blueprint import Blueprint
from api.http.caller import caller, house, needs, the_context
from api.http.outcomes import problems
from api.http.problems import ProblemError
from api.schemas.cards import EnrolledView, EnrolmentCode, EnrolmentStated, EnrolmentView
from clearinghouse.domain.errors import PersonalDataInvalid, TooManyCodes
from clearinghouse.operations.enrol import Applicant, Begun, Outcome, begin, confirm

blueprint = Blueprint(
    "enrolments", __name__, url_prefix="/v1/enrolments", description="入会 Enrolments"
)

_HOUR = "3600"


@blueprint.post("")
@needs("cards:write")
@problems("hotel_unknown", status=404)
@problems("hotel_not_yours", "tier_unknown", "personal_data_invalid")
@problems("too_many_codes", "code_not_sent")
@blueprint.arguments(EnrolmentStated)
@blueprint.response(201, EnrolmentView)
def begin_enrolment(body: dict[str, Any]) -> Begun:
    """申请入会 Begin to enrol a traveller: a one-time code goes to the phone.

    无论该旅客是否已是会员，应答都相同。The answer is the same whether or not the person is a member of anything.
    """
    applicant = Applicant(
        body["hotel"], body["tier_code"], body["name"], body["phone"], body["email"]
    )
    try:
        return begin(the_context(), caller(), applicant, house().options.send)
    except PersonalDataInvalid as error:
        where = [(f"/{error.field}", error.message)]
        raise ProblemError(error.code, error.message, errors=where) from error
    except TooManyCodes as error:
        raise ProblemError(error.code, error.message, headers={"Retry-After": _HOUR}) from error


@blueprint.post("/<enrolment_id>/confirm")
@needs("cards:write")
@problems("enrolment_unknown", "code_wrong", "code_expired", "already_alliance_member")
@problems("card_number_taken", "card_number_invalid", "tier_unknown")
@blueprint.arguments(EnrolmentCode)
@blueprint.response(201, EnrolledView)
@blueprint.alt_response(
    200, schema=EnrolledView, description="The person holds a card of this system already: this one"
)
def confirm_enrolment(body: dict[str, Any], enrolment_id: str) -> Any:
    """确认验证码并发卡 Confirm the phone by its code; the card is issued unless the person has one.

    已持其他系统有效会员卡者不予发卡 Who holds an active card of another system is refused (`already_alliance_member`).
    """
    found = confirm(the_context(), caller(), enrolment_id, body["code"], body["card_number"])
    document = {"outcome": found.outcome.value, "card": card_document(found.card)}
    return told_in(document, 201 if found.outcome is Outcome.ISSUED else 200)
