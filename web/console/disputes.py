"""Disputes: those that the system opened or has to answer, each with its steps, deadlines and evidence."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Redirect

from clearinghouse.domain.disputes import DECIDED, DisputeState
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations import disputing
from clearinghouse.operations.dispute_record import EVIDENCE_PREFIX, PREFIX
from clearinghouse.operations.disputing import Dispute, answer_dispute, escalate_dispute
from clearinghouse.operations.evidence import open_evidence
from web.console import evidence_form, words
from web.console.common import names_of_systems, the_system
from web.console.identifiers import uuid_of
from web.console.texts import one_line
from web.frame.errors import sentence
from web.frame.paging import page_of, place
from web.frame.shared import the_context
from web.frame.staff import Role, console_page, note, party, the_staff

blueprint = Blueprint("console_disputes", __name__, url_prefix="/console/disputes")
evidence_form.accept_files(blueprint, "console_disputes.bring")

_DISPUTES_A_PAGE = 30
_TEXT_MAX = 2_000
SIDES = ("opened", "answer")
#: Whatever a browser makes of a file, it may not run anything of it.
_POLICY = "default-src 'none'; sandbox"

Answer = str | Redirect | tuple[str, int]


@blueprint.get("")
@console_page()
def disputes() -> str:
    """List disputes, the newest first, in a state and on a side, or all."""
    state, side = request.args.get("state"), request.args.get("side")
    state = state if state in set(DisputeState) else None
    side = side if side in SIDES else None
    behind = place((str,))
    before = uuid_of(behind[0], PREFIX) if behind else None
    found = disputing.disputes_of(the_context(), party(), state, before, _DISPUTES_A_PAGE + 1, side)
    return render_template(
        "console/disputes.html",
        page=page_of(found, _DISPUTES_A_PAGE, lambda row: (row.id,)),
        state=state,
        side=side,
        states_named=[
            ("", _("全部")),
            *((one.value, words.dispute_state(one)[0]) for one in DisputeState),
        ],
        names=names_of_systems(),
        own=_own_code(),
    )


@blueprint.get("/<dispute_id>")
@console_page()
def dispute(dispute_id: str) -> str:
    """Show a dispute, and what can be done in it."""
    return _page(_found(dispute_id), {}, {})


@blueprint.post("/<dispute_id>/answer")
@console_page(Role.FINANCE, Role.ADMIN)
def answer(dispute_id: str) -> Answer:
    """Accept or contest a claim; what is accepted is adjusted at once, so that takes a confirmation."""
    found = _found(dispute_id)
    given = {name: request.form.get(name, "") for name in ("answer", "text", "sure")}
    wrong: dict[str, str] = {}
    text = _text(given["text"], wrong)
    if given["answer"] not in ("accept", "contest"):
        wrong["answer"] = _("请选择接受或反对")
    elif given["answer"] == "accept" and given["sure"] != "yes":
        wrong["sure"] = _("接受后不能撤回，请确认")
    if wrong:
        return _page(found, given, wrong), 422
    try:
        answer_dispute(the_context(), party(), found.dispute_id, given["answer"], text)
    except ClearinghouseError as error:
        return _page(_found(dispute_id), given, {"form": sentence(error)}), 422
    flash(_("答复已提交。"), "good")
    return _back(found)


@blueprint.post("/<dispute_id>/escalate")
@console_page(Role.FINANCE, Role.ADMIN)
def escalate(dispute_id: str) -> Answer:
    """Ask for another decision, once in a dispute."""
    found = _found(dispute_id)
    given, wrong = {"escalation": request.form.get("text", "")}, dict[str, str]()
    text = _text(given["escalation"], wrong)
    if request.form.get("sure") != "yes":
        wrong["sure"] = _("每笔争议只能升级一次，请确认")
    if wrong:
        wrong = {f"escalation_{name}": told for name, told in wrong.items()}
        return _page(found, given, wrong), 422
    try:
        escalate_dispute(the_context(), party(), found.dispute_id, text)
    except ClearinghouseError as error:
        return _page(_found(dispute_id), given, {"form": sentence(error)}), 422
    flash(_("已请求再次裁定。"), "good")
    return _back(found)


@blueprint.post("/<dispute_id>/evidence")
@console_page(Role.FINANCE, Role.ADMIN)
def bring(dispute_id: str) -> Answer:
    """Bring files to a dispute."""
    found = _found(dispute_id)
    wrong: dict[str, str] = {}
    files = evidence_form.files(wrong)
    if not files and not wrong:
        wrong[evidence_form.FIELD] = _("请选择文件")
    if wrong:
        return _page(found, {}, wrong), 422
    evidence_form.bring(the_context(), party(), found.dispute_id, files)
    return _back(found)


@blueprint.get("/<dispute_id>/evidence/<evidence_id>")
@console_page()
def evidence(dispute_id: str, evidence_id: str) -> Response:
    """Fetch a file of a dispute; never as a page that a browser would show."""
    found = open_evidence(
        the_context(),
        party(),
        uuid_of(dispute_id, PREFIX),
        uuid_of(evidence_id, EVIDENCE_PREFIX),
    )
    note("evidence.download", f"dispute {dispute_id}", evidence=evidence_id)
    response = Response(found.content, content_type="application/octet-stream")
    response.headers["Content-Security-Policy"] = _POLICY
    name = quote(found.file.name, safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


def _found(dispute_id: str) -> Dispute:
    return disputing.dispute(the_context(), party(), uuid_of(dispute_id, PREFIX))


def _page(found: Dispute, given: dict[str, str], wrong: dict[str, str]) -> str:
    own, acts = _own_code(), the_staff().acts
    state = DisputeState(found.state)
    now = the_context().clock()
    may_escalate = found.escalate_until is not None and now < found.escalate_until
    return render_template(
        "console/dispute.html",
        dispute=found,
        own=own,
        names=names_of_systems(),
        may_answer=acts and state is DisputeState.OPEN and found.respondent == own,
        may_escalate=acts and may_escalate,
        may_bring=acts and state not in DECIDED,
        given=given,
        wrong=wrong,
        text_max=_TEXT_MAX,
        late=now >= found.answer_due_at,
    )


def _text(given: str, wrong: dict[str, str]) -> str:
    text = one_line(given)
    if not 1 <= len(text) <= _TEXT_MAX:
        wrong["text"] = _("请写明理由，最多 %(most)s 个字符", most=_TEXT_MAX)
    return text


def _back(found: Dispute) -> Redirect:
    return redirect(url_for("console_disputes.dispute", dispute_id=found.id))


def _own_code() -> str:
    return the_system(the_context().current_directory()).code
