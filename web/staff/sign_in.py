"""Signing in to the console and the desk: password, second factor, and the first setting up of both."""

from __future__ import annotations

from datetime import timedelta

import segno
from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from markupsafe import Markup
from werkzeug.wrappers import Response

from clearinghouse.operations import sign_in as signing_in
from clearinghouse.operations.sign_in import Passed, Refused, SettingUp, SetUpRefused
from clearinghouse.operations.user_sessions import Level, end_session
from web.frame.guarding import open_to_all
from web.frame.shared import the_context
from web.frame.staff import DESK, safe_next, session_in
from web.frame.texts import gettext as _
from web.staff.words import password_wrong, wait_text

Answer = Response | str


def pages(area: str) -> Blueprint:
    """Make the sign-in of an area."""
    blueprint = Blueprint(
        f"{area}_sign_in", __name__, url_prefix=f"/{area}", url_defaults={"area": area}
    )
    for path, view in (("", sign_in), ("/second", second), ("/set-up", set_up)):
        blueprint.add_url_rule(f"/sign-in{path}", view_func=view, methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])
    return blueprint


@open_to_all
def sign_in(area: str) -> Answer:
    """Ask for login and password."""
    found = session_in(area)
    if request.method != "POST":
        if found is not None and found.level is Level.FULL:
            return redirect(safe_next(area, request.args.get("next")))
        return _form(area)
    login = request.form.get("login", "")[:200].replace("\x00", "")
    password = request.form.get("password", "")
    if not login.strip() or not password:
        return _form(area, login, _("请填写登录名和密码。"))
    outcome = signing_in.sign_in(
        the_context(), login, password, operator=area == DESK, address=address()
    )
    if isinstance(outcome, Refused):
        if outcome.wait is not None:
            return _form(area, login, wait_text(outcome.wait), wait=outcome.wait)
        return _form(area, login, _("登录名或密码不对。请检查后重试。"))
    hold(area, outcome.token)
    step = "set_up" if outcome.level is Level.SETUP else "second"
    return redirect(url_for(f".{step}", next=request.args.get("next")))


@open_to_all
def second(area: str) -> Answer:
    """Ask for the code of the second factor."""
    found = session_in(area)
    if found is None or found.level is not Level.SECOND:
        return _begin_again(area)
    if request.method != "POST":
        return render_template("staff/second.html", area=area, login=found.login, wrong=None)
    code = request.form.get("code", "")[:100]
    outcome = signing_in.prove(the_context(), session[area], code, address())
    if isinstance(outcome, Passed):
        hold(area, outcome.token)
        return redirect(safe_next(area, request.args.get("next")))
    wrong = (
        wait_text(outcome.wait)
        if outcome.wait is not None
        else _("验证码不对，或已经用过。请等下一个验证码再试。")
    )
    page = render_template("staff/second.html", area=area, login=found.login, wrong=wrong)
    return refused(page, outcome.wait)


@open_to_all
def set_up(area: str) -> Answer:
    """Let a new user choose a password and set up the second factor."""
    found = session_in(area)
    kept = signing_in.begin_set_up(the_context(), session[area]) if found is not None else None
    if kept is None:
        return _begin_again(area)
    if request.method != "POST":
        return _set_up_form(area, kept)
    password, code = request.form.get("password", ""), request.form.get("code", "")[:100]
    if password != request.form.get("again", ""):
        return refused(_set_up_form(area, kept, again=_("两次输入的密码不同。")))
    outcome = signing_in.finish_set_up(the_context(), session[area], password, code, address())
    if outcome is None:
        return _begin_again(area)
    if isinstance(outcome, SetUpRefused):
        code_wrong = (
            _("验证码不对。请确认手机时间准确，再输入新的验证码。") if outcome.wrong_code else None
        )
        return refused(_set_up_form(area, kept, password_wrong(outcome), code=code_wrong))
    hold(area, outcome.token)
    # Not after a redirect: the codes are kept nowhere that they could be read from again.
    return render_template(
        "staff/codes.html",
        area=area,
        codes=outcome.recovery_codes,
        onward=safe_next(area, request.args.get("next")),
    )


@open_to_all
def sign_out(area: str) -> Answer:
    """End the session."""
    token = session.pop(area, None)
    if isinstance(token, str):
        signing_in.sign_out(the_context(), token)
    session.pop("csrf_token", None)
    flash(_("您已退出登录。"), "good")
    return redirect(url_for(".sign_in"))


def hold(area: str, token: str) -> None:
    """Let the browser have the token of another session; the one that it had is over, and so are its forms."""
    former = session.get(area)
    if isinstance(former, str):
        end_session(the_context(), former)
    session[area] = token
    session.pop("csrf_token", None)


def address() -> str:
    """Return from where it is asked."""
    return request.remote_addr or "unknown"


def refused(page: str, wait: timedelta | None = None) -> Response:
    """Answer with the form again, and what is wrong with it."""
    answer = make_response(page, 422 if wait is None else 429)
    if wait is not None:
        answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
    return answer


def _form(
    area: str, login: str = "", wrong: str | None = None, wait: timedelta | None = None
) -> Answer:
    page = render_template("staff/sign_in.html", area=area, login=login, wrong=wrong)
    return page if wrong is None else refused(page, wait)


def _set_up_form(
    area: str,
    kept: SettingUp,
    password: str | None = None,
    again: str | None = None,
    code: str | None = None,
) -> str:
    picture = segno.make(kept.uri, error="m").svg_inline(
        scale=5, border=4, omitsize=True, light="#fff", svgclass="qr", title=_("动态验证码的二维码")
    )
    secret = " ".join(kept.secret[at : at + 4] for at in range(0, len(kept.secret), 4))
    return render_template(
        "staff/set_up.html",
        area=area,
        login=kept.login,
        picture=Markup(picture),  # noqa: S704  drawn by us from an address that we made
        secret=secret,
        uri=kept.uri,
        password_wrong=password,
        again_wrong=again,
        code_wrong=code,
    )


def _begin_again(area: str) -> Response:
    return redirect(url_for(".sign_in", next=request.args.get("next"), area=area))
