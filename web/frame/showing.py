"""How amounts, points, rates, days and moments are shown on a page: filters of the templates.

Amounts are fen, rates are millionths; nothing here rounds. Days and moments are the alliance's.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Flask, g
from flask_babel import format_date, format_datetime

from clearinghouse.domain.calendar import first_day, format_period, zone
from settlement.statements.amounts import percent, shown
from web.frame.language import language
from web.frame.shared import the_context, today

_MINUS = "−"


def show(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        yuan=yuan,
        signed_yuan=signed_yuan,
        points=points,
        percent=percent,
        day=day,
        month=month,
        period=format_period,
        moment=moment,
        iso=_iso,
        named=named,
    )


def yuan(amount_minor: int | None) -> str:
    """Write fen as yuan: ``−1,234.50``; a dash where there is none."""
    return "–" if amount_minor is None else shown(amount_minor)


def signed_yuan(amount_minor: int) -> str:
    """Write fen as yuan with a sign before what is received too: ``+1,234.50``."""
    return f"+{shown(amount_minor)}" if amount_minor > 0 else shown(amount_minor)


def points(count: int | None) -> str:
    """Write a number of points or of anything with thousands separators and a true minus."""
    return "–" if count is None else f"{count:,}".replace("-", _MINUS)


def day(found: date | None) -> str:
    """Write a day: ``2026年11月22日`` or ``22 Nov 2026``."""
    if found is None:
        return "–"
    return str(format_date(found, "d MMM yyyy" if language() == "en" else "long", rebase=False))


def month(period: int) -> str:
    """Write a period: ``2026年11月`` or ``November 2026``."""
    first = first_day(period)
    return str(format_date(first, "MMMM yyyy" if language() == "en" else "y年M月", rebase=False))


def moment(at: datetime | None) -> str:
    """Write a moment to the minute, in the alliance's time zone."""
    if at is None:
        return "–"
    local = at.astimezone(zone(_timezone()))
    pattern = "d MMM yyyy HH:mm" if language() == "en" else "y年M月d日 HH:mm"
    return str(format_datetime(local, pattern, rebase=False))


def named(party: Any) -> str:
    """Return the name of what has ``name_zh`` and ``name_en`` in the page's language, or its code."""
    first, second = party.name_zh, party.name_en
    chosen = second or first if language() == "en" else first or second
    return str(chosen or party.code)


def _iso(found: date | datetime) -> str:
    return found.isoformat()


def _timezone() -> str:
    """Return the alliance's time zone; it is looked up once for a page, which may show many moments."""
    if "timezone" not in g:
        in_force = the_context().current_directory().rulebook_on(today())
        g.timezone = in_force.rulebook.timezone if in_force is not None else "Asia/Shanghai"
    return str(g.timezone)
