"""Adding and changing a member, its hotels, and accepting the rulebook on its behalf."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NotFoundHere
from werkzeug.wrappers import Response

from clearinghouse.operations import govern, registry, revising
from clearinghouse.operations.registry import SystemEntry
from clearinghouse.operations.revising import Revised
from clearinghouse.store.members import Membership, SystemProfile
from web.desk.forms import attempt, day_typed, must_be_sure, typed, yuan_typed
from web.frame.shared import the_context, today
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_member_forms", __name__, url_prefix="/desk/members")

Answer = str | Response


@blueprint.route("/new", methods=["GET", "POST"])
@desk_page(Role.FINANCE, Role.ADMIN)
def add() -> Answer:
    """Record a new member."""
    refused = None
    if request.method == "POST":
        code = typed("code")
        _done, refused = attempt(
            lambda: govern.add_system(the_context(), code, _profile(), authority(typed("reason")))
        )
        if refused is None:
            flash(_("已登记 %(code)s。接下来：等级、接受规则、酒店。", code=code), "good")
            return redirect(url_for("desk_members.member", code=code))
    return render_template("desk/members/form.html", entry=None, refused=refused, values=_values())


@blueprint.route("/<code>/change", methods=["GET", "POST"])
@desk_page(Role.FINANCE, Role.ADMIN)
def change(code: str) -> Answer:
    """Change what is on record of a member, or propose it; an account that is not typed anew stays."""
    entry = registry.system(the_context(), code)
    refused = None
    if request.method == "POST":
        done, refused = attempt(
            lambda: revising.revise(the_context(), code, _changes(), authority(typed("reason")))
        )
        if done is not None:
            _tell(done)
            return redirect(url_for("desk_members.member", code=code))
    values = _values() if request.method == "POST" else _values_of(entry)
    return render_template("desk/members/form.html", entry=entry, refused=refused, values=values)


@blueprint.route("/<code>/hotels/new", methods=["GET", "POST"])
@desk_page(Role.FINANCE, Role.ADMIN)
def add_hotel(code: str) -> Answer:
    """Record a new hotel of a member."""
    entry = registry.system(the_context(), code)
    refused = None
    if request.method == "POST":
        _done, refused = attempt(
            lambda: govern.add_hotel(the_context(), _hotel(code), authority(typed("reason")))
        )
        if refused is None:
            flash(_("酒店 %(hotel)s 已登记。", hotel=typed("hotel")), "good")
            return redirect(url_for("desk_members.member", code=code))
    values = dict(request.form) if request.method == "POST" else {"from": today().isoformat()}
    return render_template("desk/members/hotel.html", entry=entry, refused=refused, values=values)


@blueprint.route("/<code>/hotels/<hotel>/move", methods=["GET", "POST"])
@desk_page(Role.FINANCE, Role.ADMIN)
def move_hotel(code: str, hotel: str) -> Answer:
    """Let a hotel belong to another member from a day on."""
    everybody = registry.systems(the_context())
    entry = registry.system(the_context(), code)
    found = next((row for row in entry.hotels if row.code == hotel), None)
    if found is None:
        raise NotFoundHere
    refused = None
    if request.method == "POST":
        moved, refused = attempt(lambda: _move(hotel))
        if moved is not None:
            flash(
                _(
                    "%(hotel)s 自 %(day)s 起归属 %(system)s；此前已清算的 %(count)s 笔保持原归属。",
                    hotel=hotel,
                    day=moved.effective_from.isoformat(),
                    system=typed("to"),
                    count=f"{moved.legs_kept:,}",
                ),
                "good",
            )
            return redirect(url_for("desk_members.member", code=code))
    values = dict(request.form) if request.method == "POST" else {"from": today().isoformat()}
    return render_template(
        "desk/members/move.html",
        entry=entry,
        hotel=found,
        others=[row for row in everybody if row.code != code and row.tiers],
        refused=refused,
        values=values,
    )


@blueprint.route("/<code>/accept", methods=["GET", "POST"])
@desk_page(Role.FINANCE, Role.ADMIN)
def accept(code: str) -> Answer:
    """Record that a member accepts a version of the rulebook, as the operator was told."""
    entry = registry.system(the_context(), code)
    missing = [row for row in registry.rulebooks(the_context()) if code in row.missing]
    refused = None
    if request.method == "POST":
        version = typed("version")
        _done, refused = attempt(lambda: _accept(code, version))
        if refused is None:
            flash(_("已记录 %(code)s 接受规则 %(version)s。", code=code, version=version), "good")
            return redirect(url_for("desk_members.member", code=code))
    return render_template(
        "desk/members/accept.html",
        entry=entry,
        missing=missing[::-1],
        refused=refused,
        chosen=typed("version") or request.args.get("version", ""),
    )


def _tell(done: Revised) -> None:
    if done.changed:
        flash(_("资料已更改。已发布的对账单保持原样。"), "good")
    if done.proposal is not None:
        flash(_("银行账户或净欠上限的更改已提出，等另一位同事复核；复核之前保持原样。"), "good")


def _move(hotel: str) -> govern.Moved:
    must_be_sure()
    by = authority(typed("reason"))
    return govern.move_hotel(the_context(), hotel, typed("to"), day_typed("from"), by)


def _accept(code: str, version: str) -> list[str]:
    must_be_sure()
    return govern.accept_rulebook(the_context(), version, [code], authority(typed("reason")))


def _values() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name != "csrf_token"}


def _values_of(entry: SystemEntry) -> dict[str, Any]:
    profile = entry.profile
    cap = profile.net_debit_cap_minor
    return {
        "name_zh": profile.name_zh,
        "name_en": profile.name_en,
        "uscc": profile.uscc or "",
        "cap": "" if cap is None else _in_yuan(cap),
        "collateral": _in_yuan(profile.collateral_minor),
    }


def _in_yuan(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _profile() -> SystemProfile:
    return SystemProfile(
        typed("name_zh"),
        typed("name_en"),
        typed("uscc") or None,
        typed("bank_account") or None,
        yuan_typed("cap"),
        yuan_typed("collateral") or 0,
    )


def _changes() -> dict[str, Any]:
    found = _profile()._asdict()
    if not found["bank_account"]:
        del found["bank_account"]
    return found


def _hotel(system: str) -> Membership:
    return Membership(
        typed("hotel"),
        day_typed("from"),
        system,
        typed("name_zh"),
        typed("name_en"),
        typed("city"),
    )
