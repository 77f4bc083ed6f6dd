"""The first page of the finance console: where the system stands now, what is due, and what waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask_babel import gettext as _
from markupsafe import Markup

from clearinghouse.domain.disputes import DisputeState
from clearinghouse.domain.netting import Position
from clearinghouse.operations.disputing import disputes_of
from clearinghouse.operations.exposure_report import own_exposure
from clearinghouse.operations.payments.listing import own_instructions
from settlement.published import PeriodSeen, periods_seen
from settlement.running import running_positions
from settlement.statements.statement import Activity
from settlement.stored_statement import stored_statement
from web.console.common import equip, own_system, the_system
from web.frame.charts import Bar, bar_chart
from web.frame.shared import the_context
from web.frame.showing import month, signed_yuan, yuan
from web.frame.staff import console_page, party

blueprint = Blueprint("console_home", __name__, url_prefix="/console")
equip(blueprint)

_MONTHS = 12
#: Months that can be under way at once, and those before them for the chart.
_SEEN = 18
_WAITING = 5


@dataclass(frozen=True, slots=True)
class OwnShare:
    """How much of what a system hosted was its own business, which costs nothing; ``percent`` is rounded down."""

    own_count: int
    count: int
    own_minor: int

    @property
    def percent(self) -> int:
        """Return the share of lines, in percent."""
        return self.own_count * 100 // self.count if self.count else 0


@blueprint.get("/")
@console_page()
def home() -> str:
    """Show where the system stands."""
    context, who, system = the_context(), party(), own_system()
    periods = periods_seen(context, who, before=None, most=_SEEN)
    published = [row for row in periods if row.position is not None and row.formats]
    last = published[0] if published else None
    statement = stored_statement(context, who, last.period) if last else None
    due = [one for one in own_instructions(context, system) if one.instruction.outstanding_minor]
    waiting = disputes_of(context, who, DisputeState.OPEN.value, None, _WAITING + 1, "answer")
    return render_template(
        "console/home.html",
        system=the_system(context.current_directory()),
        running=running_positions(context, system, _SEEN),
        last=last,
        statement=statement,
        due=due,
        waiting=waiting[:_WAITING],
        more_waiting=len(waiting) > _WAITING,
        exposure=own_exposure(context, system),
        share=own_share(statement.activities) if statement else None,
        charts=charts(published[:_MONTHS]),
    )


def own_share(activities: tuple[Activity, ...]) -> OwnShare:
    """Add up what was hosted, inside the own system and across."""
    return OwnShare(
        sum(row.own_count for row in activities),
        sum(row.own_count + row.cross_count for row in activities if row.kind != "correction"),
        sum(row.own_base_minor for row in activities),
    )


@dataclass(frozen=True, slots=True)
class Charts:
    """Net positions and fees of some months as pictures, and the same as rows: period, position."""

    net: Markup
    fees: Markup
    rows: list[tuple[int, Position]]


def charts(published: list[PeriodSeen]) -> Charts | None:
    """Draw the twelve months up to the last one published, the oldest first; nothing where there is none.

    A month without a statement keeps its place, so that a bar stands where its month is in the year.
    """
    found = {row.period: row.position for row in published if row.position is not None}
    if not found:
        return None
    shown = range(max(found) - _MONTHS + 1, max(found) + 1)
    rows = [(period, found[period]) for period in shown if period in found]
    months = {"first": month(shown[0]), "last": month(shown[-1])}

    def bar(period: int, amount_minor: int | None, written: str) -> Bar:
        return Bar(short_month(period), amount_minor or 0, f"{month(period)} {written}")

    nets = {period: row.net_minor for period, row in rows}
    fees = {period: row.fees_minor for period, row in rows}
    return Charts(
        bar_chart(
            "net",
            _("每月净额"),
            _("%(first)s 至 %(last)s 每月净额，正数为应收，负数为应付；数字见图下的表。", **months),
            [bar(p, nets.get(p), signed_yuan(nets[p]) if p in nets else yuan(None)) for p in shown],
        ),
        bar_chart(
            "fees",
            _("每月手续费"),
            _("%(first)s 至 %(last)s 每月手续费；数字见图下的表。", **months),
            [bar(p, fees.get(p), yuan(fees.get(p))) for p in shown],
        ),
        rows,
    )


def short_month(period: int) -> str:
    """Write a period below a bar: ``26/03``."""
    return f"{period // 12 % 100:02d}/{period % 12 + 1:02d}"
