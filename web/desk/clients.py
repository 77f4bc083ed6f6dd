"""Clients of the API on the desk: which software of whom may ask for what; made, rotated, revoked."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from clearinghouse.domain.scopes import SCOPES, scopes_for
from clearinghouse.domain.users import Role
from clearinghouse.operations import clients as managing
from clearinghouse.operations.clients import ClientEntry, Issued
from web.desk.forms import attempt, must_be_sure, typed
from web.frame.language import language
from web.frame.shared import the_context
from web.frame.staff import authority, desk_page
from web.frame.texts import gettext as _
from web.staff.sign_in import Answer, refused

blueprint = Blueprint("desk_clients", __name__, url_prefix="/desk/clients")

_OPERATOR = "-"
_OVERLAPS = (0, 24, 168, 720)
_KEY_MAX = 20_000


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show all clients, or those of one system."""
    wanted = request.args.get("system", "")[:64]
    every = managing.list_clients(the_context())
    shown = [row for row in every if wanted in ("", row.system_code or _OPERATOR)]
    return render_template(
        "desk/clients/list.html", clients=shown, wanted=wanted, systems=_systems(), total=len(every)
    )


@blueprint.route("/new", methods=["GET", "POST"])
@desk_page(Role.ADMIN)
def new() -> Answer:
    """Make one; its secret is shown once."""
    wrong: str | None = None
    if request.method == "POST":
        made, wrong = attempt(_create)
        if made is not None:
            return render_template("desk/clients/issued.html", made=made)
    page = render_template(
        "desk/clients/new.html",
        systems=_systems(),
        scopes=_scopes(frozenset(SCOPES)),
        chosen=request.form.getlist("scope"),
        typed=typed,
        wrong=wrong,
    )
    return page if wrong is None else refused(page)


@blueprint.get("/<client_id>")
@desk_page()
def client(client_id: str) -> str:
    """Show one."""
    return _page(_one(client_id))


@blueprint.post("/<client_id>/rotate")
@desk_page(Role.ADMIN)
def rotate(client_id: str) -> Answer:
    """Give it another secret or key."""
    found = _one(client_id)

    def act() -> Issued:
        must_be_sure()
        hours = request.form.get("overlap", type=int)
        overlap = timedelta(hours=hours if hours in _OVERLAPS else 24)
        return managing.rotate_client(
            the_context(), client_id, overlap, authority(typed("reason")), public_key=_key()
        )

    made, wrong = attempt(act)
    if made is not None:
        return render_template("desk/clients/issued.html", made=made)
    return refused(_page(found, "rotate", wrong))


@blueprint.post("/<client_id>/revoke")
@desk_page(Role.ADMIN)
def revoke(client_id: str) -> Answer:
    """End it at once."""
    found = _one(client_id)

    def act() -> bool:
        must_be_sure()
        managing.revoke_client(the_context(), client_id, authority(typed("reason")))
        return True

    done, wrong = attempt(act)
    if done:
        flash(_("接口客户端已撤销，几秒内不再有效。"), "good")
        return redirect(url_for("desk_clients.client", client_id=client_id))
    return refused(_page(found, "revoke", wrong))


def _create() -> Issued:
    system = typed("system")
    code = None if system == _OPERATOR else system
    hotels = typed("hotels").replace(",", " ").replace("，", " ").split()
    chosen = frozenset(request.form.getlist("scope"))
    # Of another kind of client's alone it would have none, which stands for all: those are refused.
    wanted = chosen & scopes_for(code is None) or chosen
    return managing.create_client(
        the_context(),
        code,
        typed("name"),
        authority(typed("reason")),
        scopes=wanted or None,
        hotels=hotels or None,
        public_key=_key(),
    )


def _one(client_id: str) -> ClientEntry:
    for row in managing.list_clients(the_context()):
        if row.client_id == client_id:
            return row
    raise NotFound


def _page(found: ClientEntry, step: str = "", wrong: str | None = None) -> str:
    return render_template(
        "desk/clients/client.html",
        client=found,
        scopes=_scopes(frozenset(found.scopes)),
        overlaps=_overlaps(),
        step=step,
        wrong=wrong,
        typed=typed,
    )


def _systems() -> list[tuple[str, str]]:
    systems = the_context().current_directory().systems.values()
    codes = sorted(system.code for system in systems)
    return [*((code, code) for code in codes), (_OPERATOR, _("清算所自己"))]


def _scopes(wanted: frozenset[str]) -> list[tuple[str, str]]:
    english = language() == "en"
    return [
        (name, scope.en if english else scope.zh)
        for name, scope in SCOPES.items()
        if name in wanted
    ]


def _overlaps() -> list[tuple[int, str]]:
    return [
        (24, _("原凭证再有效一天")),
        (168, _("原凭证再有效七天")),
        (720, _("原凭证再有效三十天")),
        (0, _("原凭证立即失效")),
    ]


def _key() -> str | None:
    return request.form.get("public_key", "")[:_KEY_MAX].strip() or None
