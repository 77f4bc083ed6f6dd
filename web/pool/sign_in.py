"""Signing in with a one-time code to a phone or e-mail address, and signing out."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import CodeExpired, CodeWrong, PersonalDataInvalid, TooManyCodes
from clearinghouse.operations.traveller_access import (
    CODE_MINUTES,
    Place,
    ask_code,
    deliver,
    place_of,
    sign_in,
    sign_out,
)
from web.frame.guarding import open_to_all
from web.frame.shared import the_context, the_site
from web.frame.traveller import let_in, let_out, own_address, the_traveller, traveller_page, visitor
from web.pool.postbox import give_postbox, the_postbox
from web.pool.shown import give_filters

blueprint = Blueprint("pool_sign_in", __name__, url_prefix="/pool")

_ASKED = "pool_asked"
_LONGEST = 254

Answer = str | Response | tuple[str, int]


@blueprint.record_once
def _begin(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    give_postbox(app)
    give_filters(app)


@blueprint.get("/sign-in")
@open_to_all
def ask() -> Answer:
    """Ask for the phone or address."""
    if visitor() is not None:
        return redirect(url_for("pool_home.home"))
    return _ask_page()


@blueprint.post("/sign-in")
@open_to_all
def send() -> Answer:
    """Make a code. The answer is the same whoever is known under the phone or address."""
    typed = request.form.get("to", "")[:_LONGEST]
    context, post = the_context(), the_site().send_code
    try:
        place = place_of(typed)
        asked = ask_code(context, place, request.remote_addr or "")
    except PersonalDataInvalid:
        return _ask_page(typed, _("请填写手机号或邮箱地址，例如 13800138000。")), 422
    except TooManyCodes:
        return _ask_page(typed, _("一小时内获取验证码的次数已达上限，请稍后再试。")), 429
    the_postbox().drop(lambda: deliver(context, asked.letter, post), the_site().log_failure)
    session[_ASKED] = {
        "request": asked.request,
        "shown": _shown(place),
        "next": own_address(request.args.get("next")),
    }
    return redirect(url_for("pool_sign_in.code"))


@blueprint.get("/sign-in/code")
@open_to_all
def code() -> Answer:
    """Ask for the code and the name."""
    if _ASKED not in session:
        return redirect(url_for("pool_sign_in.ask"))
    return _code_page()


@blueprint.post("/sign-in/code")
@open_to_all
def enter() -> Answer:
    """Let the traveller in, if code and name are right."""
    asked = session.get(_ASKED)
    if asked is None:
        return redirect(url_for("pool_sign_in.ask"))
    name = request.form.get("name", "")[:_LONGEST]
    typed = request.form.get("code", "")[:_LONGEST]
    try:
        token, _visitor = sign_in(the_context(), str(asked["request"]), typed, name)
    except CodeWrong:
        return _code_page(name, _("验证码或姓名不对，请核对后再试。")), 422
    except CodeExpired:
        session.pop(_ASKED)
        flash(_("验证码已失效，请重新获取。"), "warn")
        return redirect(url_for("pool_sign_in.ask", next=asked["next"]))
    return let_in(redirect(asked["next"] or url_for("pool_home.home")), token)


@blueprint.post("/sign-out")
@traveller_page
def leave() -> Response:
    """Sign out of this browser."""
    sign_out(the_context(), the_traveller())
    response = let_out(redirect(url_for("pool_sign_in.ask")))
    flash(_("您已退出。"), "good")
    return response


def _ask_page(typed: str = "", wrong: str | None = None) -> str:
    return render_template("pool/sign_in.html", typed=typed, wrong=wrong)


def _code_page(name: str = "", wrong: str | None = None) -> str:
    shown = session[_ASKED]["shown"]
    return render_template(
        "pool/sign_in_code.html", shown=shown, minutes=CODE_MINUTES, name=name, wrong=wrong
    )


def _shown(place: Place) -> str:
    """Return so much of a phone or address that its owner knows it again."""
    if place.kind == "phone":
        return f"******{place.value[-4:]}"
    who, _at, where = place.value.partition("@")
    return f"{who[:1]}***@{where}"
