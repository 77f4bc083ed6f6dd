"""Disputes at the desk: by deadline, each with its line, what both sides say and bring, and how it is decided."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from uuid import UUID

from flask import Blueprint, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from clearinghouse.domain.disputes import DisputeState
from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.identifiers import id_in
from clearinghouse.domain.people import same_person
from clearinghouse.operations import confirming, disputing, evidence
from clearinghouse.operations.dispute_desk import (
    UNDECIDED,
    disputed_line,
    disputes_by_deadline,
    effects_of,
)
from clearinghouse.operations.dispute_record import PREFIX, Dispute
from web.desk.forms import attempt, typed, yuan_in
from web.desk.money import PAGE, REFUSED, money_page
from web.frame.paging import Page, page_of, place
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page, note, party, the_staff

blueprint = Blueprint("desk_disputes", __name__, url_prefix="/desk/disputes")
_ALL, _WAITING = "all", "undecided"


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show disputes: those without a decision by deadline, others the newest first."""
    state = request.args.get("state", _WAITING)
    if state not in (_ALL, _WAITING, *DisputeState):
        raise BadRequest
    return money_page(
        "desk/disputes/list.html",
        page=_page(state),
        state=state,
        states=list(DisputeState),
        now=the_context().clock(),
        waiting=len(confirming.waiting(the_context())),
    )


@blueprint.get("/<text>")
@desk_page()
def dispute(text: str) -> str:
    """Show a dispute."""
    found = _found(text)
    proposed = next(
        (one for one in confirming.waiting(the_context()) if one.dispute_id == found.dispute_id),
        None,
    )
    return money_page(
        "desk/disputes/dispute.html",
        dispute=found,
        line=disputed_line(the_context(), found.dispute_id),
        proposed=proposed,
        own=proposed is not None and same_person(proposed.proposed_by, the_staff().login),
        now=the_context().clock(),
    )


@blueprint.get("/<text>/evidence/<evidence_text>")
@desk_page()
def evidence_file(text: str, evidence_text: str) -> Response:
    """Hand out a file of evidence; it is always saved, never opened in our page."""
    found = _found(text)
    evidence_id = id_in(evidence_text, evidence.EVIDENCE_PREFIX)
    if evidence_id is None:
        raise NotFound
    opened = evidence.open_evidence(the_context(), party(), found.dispute_id, evidence_id)
    note("dispute.evidence", f"dispute {found.id}", evidence=opened.file.id)
    return send_file(
        BytesIO(opened.content),
        mimetype=opened.file.media_type,
        as_attachment=True,
        download_name=opened.file.name,
    )


@blueprint.get("/<text>/decide")
@desk_page(Role.FINANCE, Role.ADMIN)
def deciding(text: str) -> str | tuple[str, int]:
    """Show what a decision would post, before it is proposed."""
    found = _found(text)
    page, refused = attempt(lambda: _deciding(found, request.args.get("amount", "")))
    if page is None:
        return _deciding_page(found, "reject", "", 0, [], refused), REFUSED
    return page


@blueprint.post("/<text>/decide")
@desk_page(Role.FINANCE, Role.ADMIN)
def decide(text: str) -> Response | tuple[str, int]:
    """Propose a decision."""
    found = _found(text)
    made, refused = attempt(lambda: _propose(found))
    if made is None:
        amount = typed("amount")
        return (
            _deciding_page(found, typed("outcome"), amount, 0, [], refused),
            REFUSED,
        )
    flash(_("已提出裁定建议，等待另一位同事复核；复核之前不入账。"), "good")
    return redirect(url_for("desk_disputes.dispute", text=found.id))


def _propose(found: Dispute) -> object:
    amount = _amount(found, typed("outcome"), typed("amount"))
    return confirming.propose_decision(
        the_context(), found.dispute_id, amount, authority(typed("reason"))
    )


def _deciding(found: Dispute, amount_text: str) -> str:
    outcome = request.args.get("outcome", "uphold")
    amount = _amount(found, outcome, amount_text)
    effects = effects_of(the_context(), found.dispute_id, amount)
    return _deciding_page(found, outcome, amount_text, amount, effects)


def _deciding_page(
    found: Dispute,
    outcome: str,
    amount_text: str,
    amount_minor: int,
    effects: object,
    refused: str | None = None,
) -> str:
    return money_page(
        "desk/disputes/decide.html",
        dispute=found,
        outcome=outcome,
        amount_text=amount_text,
        amount_minor=amount_minor,
        effects=effects,
        refused=refused,
        reason=typed("reason"),
    )


def _amount(found: Dispute, outcome: str, text: str) -> int:
    """Return what a decision gives the opener, in fen; without an amount all that it claims."""
    if outcome == "reject":
        return 0
    if outcome != "uphold":
        raise OperatorRefused(_("请选择支持或驳回。"))
    amount = yuan_in(text)
    if amount == 0:
        raise OperatorRefused(_("支持的金额须大于 0；若不支持，请选择驳回。"))
    return found.claimed_minor if amount is None else amount


def _found(text: str) -> Dispute:
    dispute_id = id_in(text, PREFIX)
    if dispute_id is None:
        raise NotFound
    return disputing.dispute(the_context(), party(), dispute_id)


def _page(state: str) -> Page[Dispute]:
    if state in (_ALL, DisputeState.UPHELD, DisputeState.REJECTED):
        before = place((str,))
        found = disputing.disputes_of(
            the_context(),
            party(),
            None if state == _ALL else state,
            None if before is None else _id(before[0]),
            PAGE + 1,
        )
        return page_of(found, PAGE, lambda row: (row.dispute_id.hex,))
    after = place((str, str))
    behind = None if after is None else (_moment(after[0]), _id(after[1]))
    states = UNDECIDED if state == _WAITING else (state,)
    found = disputes_by_deadline(the_context(), states, behind, PAGE + 1)
    return page_of(found, PAGE, lambda row: (row.answer_due_at.isoformat(), row.dispute_id.hex))


def _id(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise BadRequest from None


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest from None
    if found.tzinfo is None:
        raise BadRequest
    return found
