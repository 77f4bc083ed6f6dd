"""Signing keys on the desk: what signs tokens, published files and codes of cards; a new one, and one that leaked."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from clearinghouse.domain.users import Role
from clearinghouse.operations import signing_keys
from clearinghouse.operations.signing_keys import CARDS, STATEMENTS, TOKENS
from clearinghouse.store.keys import PublicKey
from web.desk.forms import attempt, must_be_sure, typed
from web.frame.shared import the_context
from web.frame.staff import authority, desk_page
from web.frame.texts import gettext as _
from web.staff.sign_in import Answer, refused

blueprint = Blueprint("desk_keys", __name__, url_prefix="/desk/keys")


class Shown(NamedTuple):
    """A key with the fingerprint by which people compare it."""

    key: PublicKey
    fingerprint: str


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show all keys, of each purpose the newest first."""
    context = the_context()
    found = [
        (
            purpose,
            text,
            [
                Shown(key, signing_keys.shown(key.kid, key.public_key).fingerprint)
                for key in signing_keys.all_keys(context, purpose)
            ],
        )
        for purpose, text in _purposes()
    ]
    return render_template("desk/keys/list.html", purposes=found)


@blueprint.route("/rotate/<purpose>", methods=["GET", "POST"])
@desk_page(Role.ADMIN)
def rotate(purpose: str) -> Answer:
    """Sign with a new key from now on."""
    text = dict(_purposes()).get(purpose)
    if text is None:
        raise NotFound
    leaked = "compromised" in request.form
    wrong: str | None = None
    if request.method == "POST":

        def act() -> str:
            must_be_sure()
            signed = authority(typed("reason"))
            return signing_keys.rotate(the_context(), purpose, signed, compromised=leaked)

        kid, wrong = attempt(act)
        if kid is not None:
            return _done(_("已启用新密钥 %(kid)s。", kid=kid), purpose, leaked=leaked)
    page = render_template(
        "desk/keys/rotate.html",
        purpose=purpose,
        text=text,
        leaked=leaked,
        reason=typed("reason"),
        wrong=wrong,
    )
    return page if wrong is None else refused(page)


@blueprint.route("/withdraw/<kid>", methods=["GET", "POST"])
@desk_page(Role.ADMIN)
def withdraw(kid: str) -> Answer:
    """Say of a key that somebody else may have it."""
    found = {
        key.kid: text
        for purpose, text in _purposes()
        for key in signing_keys.all_keys(the_context(), purpose)
        if key.compromised_at is None
    }
    if kid not in found:
        raise NotFound
    wrong: str | None = None
    if request.method == "POST":

        def act() -> str:
            must_be_sure()
            return signing_keys.withdraw(the_context(), kid, authority(typed("reason")))

        purpose, wrong = attempt(act)
        if purpose is not None:
            return _done(_("密钥 %(kid)s 已作废。", kid=kid), purpose, leaked=True)
    page = render_template(
        "desk/keys/withdraw.html", kid=kid, text=found[kid], reason=typed("reason"), wrong=wrong
    )
    return page if wrong is None else refused(page)


def _done(text: str, purpose: str, *, leaked: bool) -> Response:
    flash(text, "good")
    if leaked and purpose == STATEMENTS:
        flash(
            _(
                "已发布的对账单还要重新签名：请在服务器上运行 clearinghouse keys resign，然后把新的公钥交给各成员。"
            ),
            "warn",
        )
    return redirect(url_for("desk_keys.listing"))


def _purposes() -> list[tuple[str, str]]:
    return [
        (STATEMENTS, _("对账单与发布文件")),
        (TOKENS, _("接口令牌")),
        (CARDS, _("会员卡二维码")),
    ]
