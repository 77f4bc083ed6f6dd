"""The own account: another password, other recovery codes, the end of all sessions."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from clearinghouse.operations import sign_in as signing_in
from clearinghouse.operations.sign_in import Passed
from clearinghouse.operations.users import recovery_codes_left
from web.frame.shared import the_context
from web.frame.staff import staff_page, the_staff
from web.frame.texts import gettext as _
from web.staff.sign_in import Answer, address, hold, refused
from web.staff.words import password_wrong, role_name, wait_text


def pages(area: str) -> Blueprint:
    """Make the account pages of an area."""
    blueprint = Blueprint(
        f"{area}_account", __name__, url_prefix=f"/{area}/account", url_defaults={"area": area}
    )
    page = staff_page(area)
    blueprint.add_url_rule("", "account", page(account), methods=["GET"])
    blueprint.add_url_rule("/password", "password", page(password), methods=["POST"])
    blueprint.add_url_rule("/recovery-codes", "codes", page(codes), methods=["POST"])
    blueprint.add_url_rule("/sign-out-everywhere", "everywhere", page(everywhere), methods=["POST"])
    return blueprint


def account(area: str) -> str:
    """Show it."""
    return _page(area)


def password(area: str) -> Answer:
    """Change the password."""
    present, wanted = request.form.get("present", ""), request.form.get("wanted", "")
    if wanted != request.form.get("again", ""):
        return refused(_page(area, again=_("两次输入的密码不同。")))
    outcome = signing_in.change_password(
        the_context(), the_staff().user, present, wanted, address()
    )
    if isinstance(outcome, Passed):
        hold(area, outcome.token)
        flash(_("密码已更改。您在其他地方的登录都已结束。"), "good")
        return redirect(url_for(".account"))
    if outcome.wait is not None:
        return refused(_page(area, present=wait_text(outcome.wait)), outcome.wait)
    wrong = _("现在的密码不对。") if outcome.wrong_password else None
    return refused(_page(area, present=wrong, wanted=password_wrong(outcome)))


def codes(area: str) -> Answer:
    """Make other recovery codes."""
    outcome = signing_in.change_recovery_codes(
        the_context(),
        session[area],
        the_staff().user,
        request.form.get("code", "")[:100],
        address(),
    )
    if isinstance(outcome, Passed):
        hold(area, outcome.token)
        return render_template(
            "staff/codes.html", area=area, codes=outcome.recovery_codes, onward=url_for(".account")
        )
    wrong = (
        wait_text(outcome.wait)
        if outcome.wait is not None
        else _("验证码不对，或已经用过。请等下一个验证码再试。")
    )
    return refused(_page(area, code=wrong), outcome.wait)


def everywhere(area: str) -> Response:
    """End all sessions of the user, this one too."""
    signing_in.sign_out(the_context(), session[area], everywhere=True)
    session.pop(area, None)
    session.pop("csrf_token", None)
    flash(_("您在所有地方都已退出登录。"), "good")
    return redirect(url_for(f"{area}_sign_in.sign_in"))


def _page(area: str, **wrong: str | None) -> str:
    staff = the_staff()
    return render_template(
        "staff/account.html",
        area=area,
        role=role_name(staff.role),
        login=staff.login,
        codes_left=recovery_codes_left(the_context(), staff.user),
        wrong=wrong,
    )
