"""Stays that are missing: the traveller's own reports, and a form for another one."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.traveller_errors import MissingStayRefused
from clearinghouse.operations import honouring
from clearinghouse.operations.honouring import HonouringHotel
from clearinghouse.operations.missing_stays import (
    BILL_MAX,
    DAYS_BACK,
    NOTE_MAX,
    StayTold,
    own_stays,
    report_stay,
    withdraw_stay,
)
from clearinghouse.operations.party import Party
from web.frame.paging import page_of, place
from web.frame.shared import the_context, today
from web.frame.traveller import the_traveller, traveller_page
from web.pool.cards import chosen_card
from web.pool.words import state_of

blueprint = Blueprint("pool_stays", __name__, url_prefix="/pool/stays")

_PAGE = 20
_LONGEST = 600
_ANYBODY = Party(None, None, None, frozenset())
#: A comma that parts no thousands may stand for a decimal point: 12,50 is not 1250.
_YUAN = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,2}|[0-9]{1,9})(?:\.([0-9]{1,2}))?")
_FIELDS = ("arrived_on", "left_on", "amount", "bill", "note")

Answer = str | Response | tuple[str, int]


@blueprint.get("")
@traveller_page
def reports() -> Answer:
    """Show the traveller's own reports."""
    after = place((int,))
    found = own_stays(
        the_context(),
        the_traveller().traveller,
        before=min(after[0], 1 << 62) if after else None,
        most=_PAGE + 1,
    )
    page = page_of(found, _PAGE, lambda stay: (stay.number,))
    return render_template("pool/stays.html", page=page, state_of=state_of)


@blueprint.get("/new/<hotel>")
@traveller_page
def form(hotel: str) -> Answer:
    """Show the form for a stay at a hotel."""
    return _form_page(honouring.hotel(the_context(), _ANYBODY, hotel), {}, {})


@blueprint.post("/new/<hotel>")
@traveller_page
def report(hotel: str) -> Answer:
    """Record a report."""
    where = honouring.hotel(the_context(), _ANYBODY, hotel)
    typed = {name: request.form.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    told, wrong = _read(where.code, typed)
    if told is not None:
        try:
            report_stay(the_context(), the_traveller().traveller, chosen_card().card, told)
        except MissingStayRefused as refused:
            wrong = {refused.field: _said(refused.field)}
    if wrong:
        return _form_page(where, typed, wrong), 422
    flash(_("已提交给酒店。答复会显示在这里。"), "good")
    return redirect(url_for("pool_stays.reports"))


@blueprint.post("/<report_id>/withdraw")
@traveller_page
def withdraw(report_id: str) -> Answer:
    """Withdraw a report that waits."""
    withdraw_stay(the_context(), the_traveller().traveller, report_id)
    flash(_("补报已撤回。"), "good")
    return redirect(url_for("pool_stays.reports"))


def _form_page(where: HonouringHotel, typed: dict[str, str], wrong: dict[str, str]) -> str:
    return render_template(
        "pool/stay_new.html",
        where=where,
        typed=typed,
        wrong=wrong,
        today=today(),
        earliest=today() - timedelta(days=DAYS_BACK),
        bill_max=BILL_MAX,
        note_max=NOTE_MAX,
    )


def _read(hotel: str, typed: dict[str, str]) -> tuple[StayTold | None, dict[str, str]]:
    """Return what the form says, or what is wrong beside which field."""
    arrived, left, amount = _day(typed["arrived_on"]), _day(typed["left_on"]), _fen(typed["amount"])
    if arrived is not None and left is not None and amount is not None:
        return StayTold(hotel, arrived, left, amount, typed["bill"], typed["note"]), {}
    missing = {"arrived_on": arrived, "left_on": left, "amount": amount}
    return None, {name: _said(name) for name, value in missing.items() if value is None}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _fen(text: str) -> int | None:
    """Return an amount in yuan as fen: ``1,288.5``."""
    found = _YUAN.fullmatch(unicodedata.normalize("NFKC", text).lstrip("¥ "))
    if found is None:
        return None
    return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))


def _said(field: str) -> str:
    known = {
        "arrived_on": _("请填写入住日期；一次住店最多 120 晚。"),
        "left_on": _("离店日期不能早于入住、不能晚于今天，也不能超过 400 天之前。"),
        "amount": _("请填写实付金额，例如 1288.00。"),
        "bill": _("账单号最多 64 个字符。"),
        "note": _("说明最多 500 个字符。"),
        "hotel": _("等待答复的补报已达上限，请等酒店答复后再提交。"),
    }
    return str(known.get(field) or _("请核对后再提交。"))
