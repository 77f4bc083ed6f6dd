"""``/v1/sandbox``: the test clock and the dry run of a month's close; only a sandbox has these addresses."""

from __future__ import annotations

from typing import Any, cast

from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import problems
from api.schemas.base import money
from api.schemas.sandbox import ClockMove, ClockView, PreviewView
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.sandbox_clock import SandboxClock
from settlement.preview import Preview, preview_close
from settlement.statements.statement import Activity, Counterparty

_PERIOD = {
    "in": "path",
    "name": "period",
    "required": True,
    "description": "账期 month, YYYY-MM",
    "schema": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
}

blueprint = Blueprint("sandbox", __name__, url_prefix="/v1/sandbox", description="沙箱 The sandbox")


@blueprint.get("/clock")
@needs("hotels:read")
@blueprint.response(200, ClockView)
def show_clock() -> dict[str, Any]:
    """沙箱的时间 What time it is in the sandbox."""
    return _told(_clock())


@blueprint.put("/clock")
@needs("operator")
@problems("sandbox_clock_refused")
@blueprint.arguments(ClockMove)
@blueprint.response(200, ClockView)
def put_clock(body: dict[str, Any]) -> dict[str, Any]:
    """拨快时钟，只能向前 Put the clock forward; it goes on from there, for everybody.

    Access tokens age with it: after more than an hour's step ask for another one.
    """
    clock = _clock()
    clock.move_to(body["now"])
    return _told(clock)


@blueprint.post("/periods/<period>/preview", parameters=[_PERIOD])
@needs("settlements:read")
@problems("not_found", "period_not_ready", "system_client_needed")
@blueprint.response(200, PreviewView)
def preview(period: str) -> dict[str, Any]:
    """试关账:现在关账会是怎样 What the own statement would say if the month closed now; nothing changes."""
    try:
        number = parse_period(period)
    except ValueError:
        raise NotFound("there is no such period; write it as YYYY-MM") from None
    return _previewed(preview_close(the_context(), caller(), number))


def _clock() -> SandboxClock:
    return cast(SandboxClock, the_context().clock)


def _told(clock: SandboxClock) -> dict[str, Any]:
    return {"now": clock(), "ahead_seconds": int(clock.ahead().total_seconds())}


def _previewed(found: Preview) -> dict[str, Any]:
    statement = found.statement
    summary = statement.summary
    return {
        "period": statement.period,
        "state": found.state,
        "open_before": list(found.open_before),
        "system": statement.party.code,
        "cut_off_at": statement.cut_off_at,
        "due_date": statement.due_date,
        "rulebook_versions": list(statement.rulebook_versions),
        "opening": money(summary.opening_minor),
        "position": {
            "receivable": money(summary.receivable_minor),
            "payable": money(summary.payable_minor),
            "fees": money(summary.fees_minor),
            "vat": money(summary.vat_minor),
            "adjustments": money(summary.adjustments_minor),
            "net": money(summary.net_minor),
        },
        "vat_on_top": summary.vat_on_top,
        "closing": money(summary.closing_minor),
        "activities": [_activity(row) for row in statement.activities],
        "counterparties": [_counterparty(row) for row in statement.counterparties],
        "line_count": statement.line_count,
    }


def _activity(row: Activity) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "cross_count": row.cross_count,
        "cross_base": money(row.cross_base_minor),
        "fee": money(row.fee_minor),
        "own_count": row.own_count,
        "own_base": money(row.own_base_minor),
    }


def _counterparty(row: Counterparty) -> dict[str, Any]:
    return {
        "system": row.code,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "receivable_count": row.receivable_count,
        "receivable": money(row.receivable_minor),
        "payable_count": row.payable_count,
        "payable": money(row.payable_minor),
        "net": money(row.net_minor),
    }
