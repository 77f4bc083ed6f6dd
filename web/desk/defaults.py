"""Defaults at the desk: who bears what, looked at before it is proposed, and what is handed on of later payments."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.operations import two_people
from clearinghouse.operations.foreseeing import foresee_default, foresee_recovery
from web.desk import deeds
from web.desk.forms import attempt, typed
from web.desk.money import (
    REFUSED,
    member_in_address,
    money_page,
    must_be_typed,
    period_in_address,
)
from web.desk.risk_proposals import waiting
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_defaults", __name__, url_prefix="/desk/risk")


@blueprint.get("/defaults/<code>/<period_text>")
@desk_page()
def default(code: str, period_text: str) -> str:
    """Show who would bear what if a debtor were declared in default; nothing is posted."""
    return _page(deeds.DEFAULT, code, period_text)


@blueprint.post("/defaults/<code>/<period_text>")
@desk_page(Role.FINANCE, Role.ADMIN)
def declare(code: str, period_text: str) -> Response | tuple[str, int]:
    """Propose to declare a default, with the figures that were looked at."""
    return _propose(deeds.DEFAULT, code, period_text)


@blueprint.get("/recoveries/<code>/<period_text>")
@desk_page()
def recovery(code: str, period_text: str) -> str:
    """Show who would get what of a defaulter's payment; nothing is posted."""
    return _page(deeds.RECOVER, code, period_text)


@blueprint.post("/recoveries/<code>/<period_text>")
@desk_page(Role.FINANCE, Role.ADMIN)
def recover(code: str, period_text: str) -> Response | tuple[str, int]:
    """Propose to hand on what a defaulter has paid, with the figures that were looked at."""
    return _propose(deeds.RECOVER, code, period_text)


def _figures(what: str, code: str, period: int) -> Mapping[str, object]:
    if what == deeds.DEFAULT:
        return foresee_default(the_context(), code, period).figures
    return foresee_recovery(the_context(), code, period).figures


def _propose(what: str, code: str, period_text: str) -> Response | tuple[str, int]:
    code, period = member_in_address(code).code, period_in_address(period_text)

    def act() -> object:
        must_be_typed(code)
        seen = dict(_figures(what, code, period))
        values = {"system": code, "period": period_text, "seen": seen}
        return two_people.propose(the_context(), what, values, authority(typed("reason")))

    made, refused = attempt(act)
    if made is None:
        return _page(what, code, period_text, refused), REFUSED
    flash(_("已提出，等待另一位同事复核；复核之前不入账。"), "good")
    return redirect(url_for("desk_risk_proposals.listing"))


def _page(what: str, code: str, period_text: str, refused: str | None = None) -> str:
    member, period = member_in_address(code), period_in_address(period_text)
    seen, why_not = attempt(lambda: _figures(what, code, period))
    values = {"system": code, "period": period_text, "seen": seen}
    return money_page(
        "desk/risk/deed.html",
        what=what,
        member=member,
        period=period,
        told=None if seen is None else deeds.told(what, values),
        why_not=why_not,
        waiting=[one for one in waiting(what, code) if one.document.get("period") == period_text],
        refused=refused,
        reason=typed("reason"),
    )
