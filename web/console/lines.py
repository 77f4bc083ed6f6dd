"""The lines of a published statement, a page at a time, with filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.line_story import legs_seen
from settlement.stored_lines import Filters, LinePage, lines_of_transaction, lines_page
from settlement.stored_statement import stored_statement
from web.console import words
from web.console.common import month_of
from web.console.identifiers import uuid_of
from web.frame.paging import cursor, here, place
from web.frame.shared import the_context
from web.frame.showing import named
from web.frame.staff import console_page, party

blueprint = Blueprint("console_lines", __name__, url_prefix="/console/statements")

_LINES_A_PAGE = 50
_LONGEST = 64
_MOST_LINES = 10**9
KINDS = ("spend", "redeem", "stored_value_spend", "refund", "adjustment")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form of filters asks for, and what of it can't be: the sentence by the name of its field."""

    wanted: Filters
    start: int
    wrong: dict[str, str]
    empty: bool


@blueprint.get("/<period>/lines")
@console_page()
def lines(period: str) -> str:
    """Show lines of a statement behind a place, those that fit."""
    context, number, who = the_context(), month_of(period), party()
    statement = stored_statement(context, who, number)
    found = asked()
    behind = place((int,))
    after = behind[0] if behind else found.start
    if not 0 <= after <= _MOST_LINES:
        raise BadRequest
    page = LinePage((), statement.line_count, None, None)
    if not found.wrong:
        page = lines_page(context, who, number, found.wanted, after, _LINES_A_PAGE)
    return render_template(
        "console/lines.html",
        period=number,
        statement=statement,
        page=page,
        asked=found,
        kinds_named=[(kind, words.kind(kind)) for kind in KINDS],
        systems=[(row.code, f"{row.code} {named(row)}") for row in statement.counterparties],
        next_url=None if page.after is None else here(after=cursor((page.after,))),
    )


@blueprint.get("/<period>/transactions/<txn_id>")
@console_page()
def transaction(period: str, txn_id: str) -> Response:
    """Go to the line of a transaction; of several, to that of the leg or issuing hotel that is asked for."""
    context, who, number = the_context(), party(), month_of(period)
    txn = uuid_of(txn_id, "txn_")
    found = lines_of_transaction(context, who, number, txn)
    leg, issuer = request.args.get("leg", ""), request.args.get("issuer")
    if leg:
        # A transaction's lines are in the order of its legs.
        legs = [str(each) for each in legs_seen(context, who, txn)]
        chosen = [line for line, each in zip(found, legs, strict=False) if each == leg]
    else:
        chosen = [line for line in found if issuer in (None, line.issuer_hotel)]
    if not chosen:
        raise NotFound("the statement has no such line")
    month = format_period(number)
    return redirect(url_for("console_line.line", period=month, number=chosen[0].line_no))


def asked() -> Asked:
    """Read the filters that an address has."""
    wrong: dict[str, str] = {}

    def text(name: str) -> str | None:
        value = request.args.get(name, "").strip()
        if len(value) > _LONGEST or not value.isprintable():
            wrong[name] = _("最多 %(most)s 个字符", most=_LONGEST)
            return None
        return value or None

    def day(name: str) -> date | None:
        value = text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            wrong[name] = _("请写成 2026-10-31 这样的日期")
            return None

    start = text("line") or "1"
    if not start.isdecimal() or not 0 < int(start) <= _MOST_LINES:
        wrong["line"] = _("请填写行号")
    kind, system = text("kind"), text("system")
    wanted = Filters(
        counterparty=system.upper() if system else None,
        kind=kind if kind in KINDS else None,
        hotel=text("hotel"),
        since=day("since"),
        until=day("until"),
        cross={"cross": True, "own": False}.get(text("scope") or ""),
        with_fee=request.args.get("fee") == "yes",
        txn_ref=text("ref"),
    )
    if wanted.since and wanted.until and wanted.since > wanted.until:
        wrong["until"] = _("结束日期早于开始日期")
    return Asked(
        wanted,
        0 if "line" in wrong else int(start) - 1,
        wrong,
        wanted == Filters() and start == "1",
    )
