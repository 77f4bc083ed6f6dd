"""``/v1/disputes``: objections to lines of published statements, their answers and decisions."""

from __future__ import annotations

from typing import Any

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import problems
from api.http.pages import page, page_of, place
from api.http.till import id_of
from api.schemas.disputes import (
    DisputeAnswered,
    DisputeEscalated,
    DisputeQuery,
    DisputeView,
    NewDispute,
)
from clearinghouse.operations import disputing
from clearinghouse.operations.disputing import Claim, Dispute, Line

_PREFIX = "dsp_"

blueprint = Blueprint("disputes", __name__, url_prefix="/v1/disputes", description="争议 Disputes")


@blueprint.post("")
@needs("disputes:write")
@problems("system_client_needed", "not_found", "leg_not_disputable")
@problems("statement_not_published", "dispute_exists", "claim_too_high", "leg_ambiguous")
@blueprint.arguments(NewDispute)
@blueprint.response(201, DisputeView)
@blueprint.alt_response(200, schema=DisputeView, description="The dispute of that leg and reason")
def open_dispute(body: dict[str, Any]) -> tuple[Dispute, int]:
    """对已发布对账单的一行提出争议 Dispute a line of a published statement.

    The other system of the leg has to answer. Where the claim is on the host's fee (`fee_wrong`, and any claim on a leg
    of cash) it is the operator. A transaction with several lines needs `leg_no` or `issuer_hotel` too. `claim` is what
    the respondent is to pay; left out, all that is left of the leg. No Idempotency-Key is needed: the same leg and
    reason again answers 200 with the dispute that there is, decided or not. After the rulebook's `dispute_days` it is
    taken all the same, and flagged `late`.
    """
    found, added = disputing.open_dispute(
        the_context(),
        caller(),
        Line(id_of(body["transaction"], "txn_"), body["leg_no"], body["issuer_hotel"]),
        Claim(body["reason"], body["text"], body["claim"] and body["claim"]["amount_minor"]),
    )
    return found, 201 if added else 200


@blueprint.get("")
@needs("disputes:read")
@problems("system_client_needed")
@blueprint.arguments(DisputeQuery, location="query")
@blueprint.response(200, page_of(DisputeView))
def list_disputes(query: dict[str, Any]) -> dict[str, Any]:
    """本系统提出或须答复的争议，最新在前 The disputes that your system opened or has to answer, the newest first."""
    before = place(query)
    found = disputing.disputes_of(
        the_context(),
        caller(),
        query["state"],
        None if before is None else id_of(before, _PREFIX),
        query["limit"] + 1,
    )
    return page(found, query["limit"], lambda row: row.id)


@blueprint.get("/<dispute_id>")
@needs("disputes:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, DisputeView)
def show_dispute(dispute_id: str) -> Dispute:
    """一笔争议 One dispute to which your system is a party."""
    return disputing.dispute(the_context(), caller(), id_of(dispute_id, _PREFIX))


@blueprint.post("/<dispute_id>/answer")
@needs("disputes:write")
@problems("system_client_needed", "not_found", "respondent_only", "dispute_answered")
@blueprint.arguments(DisputeAnswered)
@blueprint.response(200, DisputeView)
def answer_dispute(body: dict[str, Any], dispute_id: str) -> Dispute:
    """答复争议：接受或反对 Accept or contest, as the respondent and once; the same answer again changes nothing.

    What a system accepts is upheld at once: the next period's statements of both show the adjustment.
    """
    return disputing.answer_dispute(
        the_context(),
        caller(),
        id_of(dispute_id, _PREFIX),
        body["answer"],
        body["text"],
    )


@blueprint.post("/<dispute_id>/escalate")
@needs("disputes:write")
@problems("system_client_needed", "not_found", "parties_only", "dispute_exists")
@problems("dispute_not_decided", "escalation_closed")
@blueprint.arguments(DisputeEscalated)
@blueprint.response(200, DisputeView)
def escalate_dispute(body: dict[str, Any], dispute_id: str) -> Dispute:
    """升级争议，每笔一次 Ask for another decision: either system, once in a dispute, by `escalate_until`.

    The same again by the same system changes nothing. Other people of the clearing house decide it, finally.
    """
    return disputing.escalate_dispute(
        the_context(), caller(), id_of(dispute_id, _PREFIX), body["text"]
    )
