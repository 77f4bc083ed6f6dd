"""The users of a system, or of the operator: made, changed and ended by their administrators."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.users import Role
from clearinghouse.operations import users as managing
from clearinghouse.operations.users import Invited, ListedUser
from web.frame.errors import sentence
from web.frame.shared import the_context
from web.frame.staff import authority, staff_page, the_staff
from web.frame.texts import gettext as _
from web.staff.sign_in import Answer, refused
from web.staff.words import role_name, roles

_STEPS = ("role", "reset", "unlock", "deactivate")
_REASON_MAX = 500


def pages(area: str) -> Blueprint:
    """Make the users' pages of an area, for its administrators."""
    blueprint = Blueprint(
        f"{area}_users", __name__, url_prefix=f"/{area}/users", url_defaults={"area": area}
    )
    page = staff_page(area, Role.ADMIN)
    blueprint.add_url_rule("", "users", page(users), methods=["GET"])
    blueprint.add_url_rule("/new", "new", page(new), methods=["GET", "POST"])
    blueprint.add_url_rule("/<int:number>", "user", page(user), methods=["GET"])
    blueprint.add_url_rule("/<int:number>/<step>", "change", page(change), methods=["POST"])
    return blueprint


def users(area: str) -> str:
    """List them."""
    found = managing.list_users(the_context(), the_staff().system)
    return render_template("staff/users.html", area=area, users=found, role_name=role_name)


def new(area: str) -> Answer:
    """Make one."""
    if request.method != "POST":
        return _new(area)
    name = request.form.get("name", "").strip().lower()[:100]
    reason = _reason()
    try:
        role = Role(request.form.get("role", ""))
        made = managing.create_user(
            the_context(), _system_code(), name, role, authority(reason or _("新用户"))
        )
    except ValueError:
        return refused(_new(area, name, _("请选择一个角色。")))
    except OperatorRefused as error:
        return refused(_new(area, name, _name_wrong(error)))
    return _told_once(area, made)


def user(area: str, number: int) -> str:
    """Show one, with what can be done."""
    return _page(area, _one(number))


def change(area: str, number: int, step: str) -> Answer:
    """Give it another role, let it set up anew, let it try again, or end it."""
    if step not in _STEPS:
        raise NotFound
    found, staff = _one(number), the_staff()
    reason = _reason()
    if not reason or "sure" not in request.form:
        return refused(_page(area, found, step, _("请写明理由，并勾选确认。")))
    if number == staff.user and step != "unlock":
        return refused(_page(area, found, step, _("不能更改自己的用户，请另一位管理员办理。")))
    context, signed = the_context(), authority(reason)
    try:
        if step == "reset":
            return _told_once(area, managing.reset_user(context, staff.system, number, signed))
        if step == "role":
            role = Role(request.form.get("role", ""))
            managing.change_role(context, staff.system, number, role, signed)
            done = _("角色已更改；该用户须重新登录。")
        elif step == "unlock":
            managing.unlock_user(context, staff.system, number, signed)
            done = _("该用户可以立即重新尝试登录。")
        else:
            managing.deactivate_user(context, staff.system, number, signed)
            done = _("用户已停用，登录已结束。")
    except ValueError:
        return refused(_page(area, found, step, _("请选择一个角色。")))
    except OperatorRefused as error:
        return refused(_page(area, found, step, _change_wrong(error)))
    flash(done, "good")
    return redirect(url_for(".users"))


def _one(number: int) -> ListedUser:
    """Return a user of this system; another's is as none."""
    for found in managing.list_users(the_context(), the_staff().system):
        if found.number == number:
            return found
    raise NotFound


def _system_code() -> str | None:
    system = the_staff().system
    if system is None:
        return None
    return the_context().current_directory().systems[system].code


def _reason() -> str:
    return " ".join(request.form.get("reason", "").split())[:_REASON_MAX]


def _name_wrong(error: OperatorRefused) -> str:
    if "already" in error.message:
        return _("已经有这个登录名，请换一个。")
    return _("登录名用 2 至 32 个小写字母、数字或 . - _，以字母或数字开头。")


def _change_wrong(error: OperatorRefused) -> str:
    if "last active administrator" in error.message:
        return _("这是最后一位管理员；请先设另一位管理员。")
    if "that role already" in error.message:
        return _("该用户已经是这个角色。")
    return sentence(error)


def _new(area: str, name: str = "", wrong: str | None = None) -> str:
    return render_template(
        "staff/new_user.html", area=area, name=name, wrong=wrong, roles=roles(), code=_system_code()
    )


def _page(area: str, found: ListedUser, step: str = "", wrong: str | None = None) -> str:
    return render_template(
        "staff/user.html",
        area=area,
        user=found,
        own=found.number == the_staff().user,
        role=role_name(found.role),
        roles=roles(),
        step=step,
        wrong=wrong,
    )


def _told_once(area: str, made: Invited) -> Response | str:
    # Not after a redirect: the password is kept nowhere that it could be read from again.
    return render_template("staff/invited.html", area=area, made=made)
