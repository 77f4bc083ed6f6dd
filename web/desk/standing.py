"""Suspending, reinstating and letting go of a member: proposed here, confirmed by another person."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from clearinghouse.operations import dossier, registry, two_people
from web.desk import words
from web.desk.forms import attempt, day_typed, must_be_sure, typed
from web.frame.shared import the_context, today
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_standing", __name__, url_prefix="/desk/members")

#: What can be proposed, by the last part of its address.
_DEEDS = {
    "suspend": "system.suspend",
    "reinstate": "system.reinstate",
    "withdraw": "system.withdraw",
    "end-run-off": "system.end-run-off",
}


@blueprint.route(
    "/<code>/<any(suspend, reinstate, withdraw, 'end-run-off'):step>", methods=["GET", "POST"]
)
@desk_page(Role.FINANCE, Role.ADMIN)
def propose(code: str, step: str) -> str | Response:
    """Propose a step of a member's standing."""
    entry = registry.system(the_context(), code)
    what = _DEEDS.get(step)
    if what is None:
        raise NotFound
    refused = None
    # All of a member's lots are added up, which takes seconds of a large one: only where it is asked for.
    counted = step == "withdraw" and (request.method == "POST" or "counted" in request.args)
    if request.method == "POST":
        _made, refused = attempt(
            lambda: two_people.propose(
                the_context(), what, _values(code, step), authority(typed("reason"))
            )
        )
        if refused is None:
            flash(_("已提出。须由另一位同事复核后才生效。"), "good")
            return redirect(url_for("desk_members.member", code=code))
    return render_template(
        "desk/members/standing.html",
        entry=entry,
        step=step,
        title=words.deed(what),
        forecast=dossier.leaving_forecast(the_context(), code) if counted else None,
        today=today(),
        values=request.form,
        refused=refused,
    )


def _values(code: str, step: str) -> Mapping[str, object]:
    must_be_sure()
    if step != "withdraw":
        return {"system": code}
    return {
        "system": code,
        "withdrawn_on": day_typed("withdrawn_on").isoformat(),
        "uncovered": bool(request.form.get("uncovered")),
    }
