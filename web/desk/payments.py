"""Payments at the desk: what is to be paid and what is overdue, a member's account, and reminders."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.payments import Direction
from clearinghouse.operations.payments import desk, dunning, listing
from clearinghouse.operations.payments.desk import Met
from web.desk.forms import attempt, typed
from web.desk.money import PAGE, REFUSED, asked, member_in_address, money_page, period_asked
from web.frame.paging import page_of, place
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_payments", __name__, url_prefix="/desk/payments")
_PLACE = (bool, int, int, str)
#: What of a member's instructions is shown: what is unpaid first, then the newest.
_MONTHS = 36


@blueprint.get("/")
@desk_page()
def home() -> str:
    """Show what is to be paid: the overdue first."""
    period, text, wrong = period_asked()
    direction = asked("direction", Direction)
    # Whoever asks for a period wants to see all of it.
    met = asked("met", Met) or (Met.OUTSTANDING if period is None else Met.ALL)
    found = desk.instruction_page(
        the_context(),
        met,
        period=period,
        direction=direction,
        after=place(_PLACE),
        limit=PAGE + 1,
    )
    return money_page(
        "desk/payments/home.html",
        overview=desk.overview(the_context()),
        page=page_of(found, PAGE, lambda row: row[1]),
        met=met.value,
        direction=request.args.get("direction", ""),
        period_text=text,
        wrong=wrong,
    )


@blueprint.get("/members/<code>")
@desk_page()
def account(code: str) -> str:
    """Show all payments of a member."""
    member = member_in_address(code)
    found = listing.account(the_context(), member.code)
    ordered = sorted(
        found.instructions,
        key=lambda one: (not one.instruction.outstanding_minor, -one.instruction.period),
    )
    return money_page(
        "desk/payments/account.html",
        member=member,
        account=found,
        instructions=ordered[:_MONTHS],
        most=_MONTHS,
    )


@blueprint.get("/dunning")
@desk_page()
def reminders() -> str:
    """Show who is to be reminded today, and all that is overdue."""
    return _reminders()


@blueprint.post("/dunning")
@desk_page(Role.FINANCE, Role.ADMIN)
def remind() -> Response | tuple[str, int]:
    """Send the reminders that are due."""
    sent, refused = attempt(
        lambda: dunning.dun(the_context(), authority=authority(typed("reason")))
    )
    if sent is None:
        return _reminders(refused), REFUSED
    if sent:
        flash(_("已发出 %(count)s 份催款通知，并写入操作记录。", count=len(sent)), "good")
    else:
        flash(_("没有需要发出的催款通知；操作已记录。"), "plain")
    return redirect(url_for("desk_payments.reminders"))


def _reminders(refused: str | None = None) -> str:
    overdue = desk.instruction_page(
        the_context(),
        Met.OVERDUE,
        period=None,
        direction=Direction.IN,
        after=place(_PLACE),
        limit=PAGE + 1,
    )
    return money_page(
        "desk/payments/dunning.html",
        due=dunning.due_reminders(the_context()),
        page=page_of(overdue, PAGE, lambda row: row[1]),
        refused=refused,
        reason=typed("reason"),
    )
