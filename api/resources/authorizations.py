"""``/v1/authorizations``: holds, captured in all or in part, voided, or left to expire."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.answers import authorization_document
from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import CAPTURE_REFUSALS, REFUSALS, VOID_REFUSALS, problems
from api.http.till import (
    IDEMPOTENCY_PARAMETER,
    Renderer,
    answer_line,
    id_of,
    line_of,
    respond,
    stated,
    the_key,
    told_as_json,
)
from api.schemas.base import Schema
from api.schemas.transactions import (
    AuthorizationStated,
    AuthorizationView,
    CaptureStated,
    TransactionView,
)
from clearinghouse.domain.transactions import Authorization
from clearinghouse.operations.answering import answer_void
from clearinghouse.operations.authorizing import authorization
from clearinghouse.operations.transactions import capture_of

blueprint = Blueprint(
    "authorizations", __name__, url_prefix="/v1/authorizations", description="预授权 Authorisations"
)


@blueprint.post("")
@needs("transactions:write")
@problems(*REFUSALS)
@blueprint.arguments(AuthorizationStated)
@blueprint.response(201, AuthorizationView)
@blueprint.doc(parameters=[IDEMPOTENCY_PARAMETER])
def hold(body: dict[str, Any]) -> Response:
    """冻结积分或储值 Hold points or stored value; nothing is cleared until capture."""
    return answer_line(the_key(body), line_of(Authorization, body))


@blueprint.get("/<auth_id>")
@needs("transactions:read")
@problems("not_found")
@blueprint.response(200, AuthorizationView)
def show(auth_id: str) -> Response:
    """一笔预授权 One authorisation of your own."""
    context, party = the_context(), caller()
    found = authorization(context, party, id_of(auth_id, "auth_"))
    return told_as_json(authorization_document(*found, context.vault, party.system))


@blueprint.post("/<auth_id>/capture")
@needs("transactions:write")
@problems("not_found", *CAPTURE_REFUSALS)
@blueprint.arguments(CaptureStated)
@blueprint.response(201, TransactionView)
@blueprint.doc(parameters=[IDEMPOTENCY_PARAMETER])
def capture(body: dict[str, Any], auth_id: str) -> Response:
    """请款，全部或部分，一次 Capture all or part of a hold, once; the rest is free again."""
    key = the_key(body)
    line = capture_of(the_context(), caller(), id_of(auth_id, "auth_"), stated(body))
    return answer_line(key, line)


class Nothing(Schema):
    """No members: the address says it all."""


@blueprint.post("/<auth_id>/void")
@needs("transactions:write")
@problems("not_found", *VOID_REFUSALS)
@blueprint.arguments(Nothing, required=False)
@blueprint.response(200, AuthorizationView)
@blueprint.doc(parameters=[IDEMPOTENCY_PARAMETER])
def void(body: dict[str, Any], auth_id: str) -> Response:
    """解冻 Let go of all that is held; again, it stays voided."""
    key = the_key(body)
    context = the_context()
    found, _ = authorization(context, caller(), id_of(auth_id, "auth_"))
    render = Renderer(200)
    return respond(answer_void(context, key, found, render), render)
