"""Stays that travellers miss: reports about the system's hotels, and the system's answers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.operations.missing_stays import (
    ANSWER_MAX,
    BILL_MAX,
    StayState,
    answer_stay,
    stays,
)
from web.frame.errors import sentence
from web.frame.paging import page_of, place
from web.frame.shared import the_context
from web.frame.staff import Role, console_page, note, party, the_staff

blueprint = Blueprint("console_stays", __name__, url_prefix="/console/stays")

_PAGE = 20
_LONGEST = 600


@blueprint.get("")
@console_page()
def reports() -> str:
    """List the reports, the latest first: those that wait, or all."""
    behind = place((int,))
    every = request.args.get("all") == "1"
    found = stays(
        the_context(),
        party(),
        state=None if every else StayState.OPEN,
        before=min(behind[0], 1 << 62) if behind else None,
        most=_PAGE + 1,
    )
    return render_template(
        "console/stays.html",
        page=page_of(found, _PAGE, lambda stay: (stay.number,)),
        every=every,
        may_answer=the_staff().acts,
        answer_max=ANSWER_MAX,
        ref_max=BILL_MAX,
    )


@blueprint.post("/<report_id>")
@console_page(Role.FINANCE, Role.ADMIN)
def answer(report_id: str) -> Response:
    """Say what came of a report."""
    form = request.form
    state = StayState.CREDITED if form.get("outcome") == "credited" else StayState.DECLINED
    said, ref = form.get("answer", "")[:_LONGEST], form.get("txn_ref", "")[:_LONGEST]
    try:
        ended = answer_stay(the_context(), party(), report_id, state, said, ref.strip())
    except ClearinghouseError as refused:
        if refused.code == "not_found":
            raise
        flash(sentence(refused), "bad")
    else:
        note("missing_stay.answer", ended.report_id, outcome=state.value)
        flash(_("答复已发给旅客。"), "good")
    return redirect(url_for("console_stays.reports"))
