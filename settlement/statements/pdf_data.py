"""What the PDF's template prints: a statement as texts and proportions, ready to be laid out."""

from __future__ import annotations

from typing import Any

from settlement.statements import labels
from settlement.statements.amounts import capitals, percent, shown
from settlement.statements.labels import Label
from settlement.statements.presentation import (
    Fact,
    direction,
    document_facts,
    is_operator,
    notes,
    party_facts,
    summary_rows,
)
from settlement.statements.statement import Activity, Counterparty, NetPoint, Statement

_CHART_MONTHS = 12
#: The words that stand in the template itself, by the names that it uses.
_WORDS = {
    "activity": labels.ACTIVITY,
    "base": labels.BASE,
    "business": labels.BUSINESS,
    "clearing_house": labels.CLEARING_HOUSE,
    "closing": labels.CLOSING,
    "code": labels.CODE,
    "count": labels.COUNT,
    "counterparties": labels.COUNTERPARTIES,
    "counterparty": labels.COUNTERPARTY,
    "cross_system": labels.CROSS_SYSTEM,
    "detail": labels.DETAIL,
    "due_date": labels.DUE_DATE,
    "fee": labels.FEE,
    "for_clearing_house": labels.FOR_CLEARING_HOUSE,
    "for_member": labels.FOR_MEMBER,
    "history": labels.HISTORY,
    "item": labels.ITEM,
    "net": labels.NET,
    "net_before_fees": labels.NET_BEFORE_FEES,
    "no_counterparties": labels.NO_COUNTERPARTIES,
    "notes": labels.NOTES,
    "own_system": labels.OWN_SYSTEM,
    "payable_short": labels.PAYABLE_SHORT,
    "prepared_for": labels.PREPARED_FOR,
    "receivable_short": labels.RECEIVABLE_SHORT,
    "signed_date": labels.SIGNED_DATE,
    "signed_name": labels.SIGNED_NAME,
    "summary": labels.SUMMARY,
    "title": labels.TITLE,
    "total": labels.TOTAL,
    "value": labels.VALUE,
    "vat_line": labels.VAT_LINE,
    "version": labels.VERSION,
}


def template_data(statement: Statement) -> dict[str, Any]:
    """Return everything that the template prints; it holds no markup and is never read as such."""
    generated = statement.generated_at.utctimetuple()
    return {
        "words": _WORDS,
        "created": list(generated[:6]),
        "title": f"{statement.statement_no} · {labels.TITLE}",
        "statement_no": statement.statement_no,
        "version": statement.version,
        "party": {
            "code": statement.party.code,
            "names": [statement.party.name_zh, statement.party.name_en],
            "facts": _facts(party_facts(statement)),
        },
        "facts": _facts(document_facts(statement)),
        "unit": _unit(statement.currency),
        "headline": _headline(statement),
        "summary": [
            {"label": row.label, "amount": shown(row.amount_minor), "column": row.column}
            | {"name": row.name}
            for row in summary_rows(statement)
        ],
        "history": _chart(statement.history[-_CHART_MONTHS:]),
        "activities": [_activity(activity) for activity in statement.activities],
        "activity_total": _activity(_total_activity(statement.activities)),
        "vat": _vat(statement),
        "counterparties": [_counterparty(row) for row in statement.counterparties],
        "counterparty_total": _counterparty(_total_counterparty(statement.counterparties)),
        "notes": notes(statement),
        "countersigned": not is_operator(statement),
    }


def _facts(facts: tuple[Fact, ...]) -> list[dict[str, Any]]:
    return [{"label": fact.label, "text": fact.text} for fact in facts]


def _unit(currency: str) -> Label:
    unit = labels.UNITS.get(currency)
    if unit is None:
        return Label(f"单位：{currency}", f"Amounts in {currency}")
    return Label(f"单位：{unit.zh}", f"Amounts in {unit.en} ({currency})")


def _headline(statement: Statement) -> dict[str, Any]:
    """Return the one amount that matters, who pays it to whom, and in capitals where they are used."""
    summary = statement.summary
    written = f"人民币{capitals(summary.net_minor)}" if statement.currency == "CNY" else ""
    return {
        "direction": direction(summary.net_minor),
        "sign": (summary.net_minor > 0) - (summary.net_minor < 0),
        "currency": statement.currency,
        "amount": shown(abs(summary.net_minor)),
        "capitals": written,
        "closing_direction": direction(summary.closing_minor),
        "closing": shown(abs(summary.closing_minor)),
        "due_date": statement.due_date.isoformat(),
    }


def _chart(points: tuple[NetPoint, ...]) -> list[dict[str, Any]]:
    """Return the months of the chart, each with its part of the longest bar (−1 to 1)."""
    longest = max((abs(point.net_minor) for point in points), default=0) or 1
    return [
        {
            "period": point.period,
            "amount": shown(point.net_minor),
            "part": point.net_minor / longest,
        }
        for point in points
    ]


def _activity(activity: Activity) -> dict[str, Any]:
    return {
        "label": labels.KINDS.get(activity.kind) or Label(activity.kind, ""),
        "cells": [
            f"{activity.cross_count:,}",
            shown(activity.cross_base_minor),
            shown(activity.fee_minor),
            f"{activity.own_count:,}",
            shown(activity.own_base_minor),
            shown(0),
        ],
    }


def _total_activity(activities: tuple[Activity, ...]) -> Activity:
    return Activity(
        kind="",
        cross_count=sum(row.cross_count for row in activities),
        cross_base_minor=sum(row.cross_base_minor for row in activities),
        fee_minor=sum(row.fee_minor for row in activities),
        own_count=sum(row.own_count for row in activities),
        own_base_minor=sum(row.own_base_minor for row in activities),
    )


def _vat(statement: Statement) -> list[dict[str, Any]]:
    """Return the fees with and without VAT, its rate and amount: what the tax invoice will say."""
    summary = statement.summary
    sign = -1 if is_operator(statement) else 1
    fees, vat = sign * summary.fees_minor, sign * summary.vat_minor
    without = fees if summary.vat_on_top else fees - vat
    facts = (
        Fact(labels.FEES_WITHOUT_VAT, shown(without)),
        Fact(labels.VAT_RATE, percent(summary.vat_ppm)),
        Fact(labels.VAT_AMOUNT, shown(vat)),
        Fact(labels.FEES_WITH_VAT, shown(without + vat)),
    )
    return _facts(facts)


def _counterparty(row: Counterparty) -> dict[str, Any]:
    return {
        "code": row.code,
        "names": [row.name_zh, row.name_en],
        "cells": [
            f"{row.receivable_count:,}",
            shown(row.receivable_minor),
            f"{row.payable_count:,}",
            shown(row.payable_minor),
            shown(row.net_minor),
        ],
    }


def _total_counterparty(rows: tuple[Counterparty, ...]) -> Counterparty:
    return Counterparty(
        code="",
        name_zh="",
        name_en="",
        receivable_count=sum(row.receivable_count for row in rows),
        receivable_minor=sum(row.receivable_minor for row in rows),
        payable_count=sum(row.payable_count for row in rows),
        payable_minor=sum(row.payable_minor for row in rows),
        net_minor=sum(row.net_minor for row in rows),
    )
