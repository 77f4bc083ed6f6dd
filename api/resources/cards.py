"""``/v1/cards``: what a card is good for at a front desk, and what its own system may change."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import BaseConverter

from api.card_documents import balance_document, card_document, told_in, treatment_document
from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import problems
from api.schemas.cards import (
    AtHotel,
    BalanceView,
    CardLookup,
    CardPatch,
    CardReplacement,
    CardView,
    TreatmentView,
)
from clearinghouse.domain.treatment import CardState
from clearinghouse.operations import cards
from clearinghouse.operations.balance import balance_for
from clearinghouse.operations.card_changes import CardChange, change_card, replace_card
from clearinghouse.operations.card_codes import look_up_code


class CardId(BaseConverter):
    """What stands for a card in an address; ``lookup`` is another one's place."""

    regex = "(?!lookup$)[^/]+"
    part_isolating = True


blueprint = Blueprint("cards", __name__, url_prefix="/v1/cards", description="会员卡 Cards")


@blueprint.post("/lookup")
@needs("cards:read")
@problems("card_unknown", status=404)
@problems("card_code_invalid", "card_code_expired", "card_code_used")
@blueprint.arguments(CardLookup)
@blueprint.response(200, CardView)
def look_up(body: dict[str, Any]) -> Any:
    """按卡号或会员码查卡 Look a card up by its number or its code: its id for you, its status, its treatment here.

    A code from a phone is good for a minute and for the system that looks it up first; one from paper for everybody.
    """
    context, party = the_context(), caller()
    if "card_code" in body:
        return told_in(card_document(look_up_code(context, party, body["card_code"])))
    return told_in(card_document(cards.look_up(context, party, body["card_number"])))


@blueprint.get("/<card:card_id>")
@needs("cards:read")
@problems("card_unknown", status=404)
@blueprint.response(200, CardView)
def show_card(card_id: str) -> Any:
    """查卡 Look a card up by the id that a look-up gave you."""
    return told_in(card_document(cards.card(the_context(), caller(), card_id)))


@blueprint.patch("/<card:card_id>")
@needs("cards:write")
@problems("card_unknown", status=404)
@problems("card_state_conflict", "tier_date_refused", "tier_unknown")
@blueprint.arguments(CardPatch)
@blueprint.response(200, CardView)
def patch_card(body: dict[str, Any], card_id: str) -> Any:
    """变更等级或状态 Give your own card another tier, suspend, reactivate or close it."""
    status = body.get("status")
    change = CardChange(
        tier_code=body.get("tier_code"),
        tier_from=body.get("tier_from"),
        status=None if status is None else CardState(status),
        reason=body["reason"],
    )
    return told_in(card_document(change_card(the_context(), caller(), card_id, change)))


@blueprint.post("/<card:card_id>/replace")
@needs("cards:write")
@problems("card_unknown", status=404)
@problems("card_state_conflict", "card_number_taken", "card_number_invalid")
@blueprint.arguments(CardReplacement, required=False)
@blueprint.response(201, CardView)
def replace(body: dict[str, Any], card_id: str) -> Any:
    """挂失补卡 Issue a card in the place of a lost one of yours; the pool stays. Safe to repeat."""
    found = replace_card(the_context(), caller(), card_id, body["card_number"], body["reason"])
    return told_in(card_document(found), 201)


@blueprint.get("/<card:card_id>/treatment")
@needs("cards:read")
@problems("card_unknown", "hotel_unknown", status=404)
@problems("card_not_active", "hotel_not_yours")
@blueprint.arguments(AtHotel, location="query")
@blueprint.response(200, TreatmentView)
def show_treatment(query: dict[str, Any], card_id: str) -> Any:
    """查询在本店的待遇 How the card is treated at your hotel today: tier, benefits, earn rate, and why."""
    found = cards.treatment_of(the_context(), caller(), card_id, query["hotel"])
    return told_in(treatment_document(found))


@blueprint.get("/<card:card_id>/balance")
@needs("cards:read")
@problems("card_unknown", "hotel_unknown", status=404)
@problems("hotel_not_yours")
@blueprint.arguments(AtHotel, location="query")
@blueprint.response(200, BalanceView)
def show_balance(query: dict[str, Any], card_id: str) -> Any:
    """查询在本店可用的积分与储值 What the card can spend at your hotel now, and why not more."""
    return told_in(balance_document(balance_for(the_context(), caller(), card_id, query["hotel"])))
