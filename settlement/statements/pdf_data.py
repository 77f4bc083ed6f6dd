"""What the PDF's template prints: a statement as texts and proportions, ready to be laid out."""

from __future__ import annotations

from typing import Any

from settlement.statements import labels
from settlement.statements.amounts import capitals, percent, shown
from settlement.statements.labels import Label
from settlement.statements.pdf_sections import (
    adjustments_table,
    control_tables,
    counterparties_table,
    issued_table,
    movements_table,
    payment_tables,
    securities_table,
)
from settlement.statements.presentation import (
    Fact,
    direction,
    document_facts,
    is_operator,
    notes,
    party_facts,
    summary_rows,
    to_transfer_minor,
)
from settlement.statements.sections import SigningKey
from settlement.statements.statement import Activity, NetPoint, Party, Statement

_CHART_MONTHS = 12
#: The words that stand in the template itself, by the names that it uses.
_WORDS = {
    "activity": labels.ACTIVITY,
    "adjustments": labels.ADJUSTMENTS_MADE,
    "base": labels.BASE,
    "business": labels.BUSINESS,
    "closing": labels.CLOSING,
    "control": labels.CONTROL,
    "count": labels.COUNT,
    "counterparties": labels.COUNTERPARTIES,
    "cross_system": labels.CROSS_SYSTEM,
    "detail": labels.DETAIL,
    "due_date": labels.DUE_DATE,
    "fee": labels.FEE,
    "figures": labels.FIGURES,
    "for_clearing_house": labels.FOR_CLEARING_HOUSE,
    "for_member": labels.FOR_MEMBER,
    "history": labels.HISTORY,
    "how_settled": labels.HOW_SETTLED,
    "issued": labels.POINTS_LIABILITY,
    "issued_unit": labels.POINTS_UNIT,
    "item": labels.ITEM,
    "key_id": labels.KEY_ID,
    "movements": labels.MOVEMENTS,
    "net": labels.NET,
    "no_counterparties": labels.NO_COUNTERPARTIES,
    "notes": labels.NOTES,
    "older_debts": labels.OLDER_DEBTS,
    "own_system": labels.OWN_SYSTEM,
    "prepared_for": labels.PREPARED_FOR,
    "proofs": labels.PROOFS,
    "proofs_note": labels.PROOFS_NOTE,
    "securities": labels.SECURITIES,
    "settling": labels.SETTLING,
    "signed_date": labels.SIGNED_DATE,
    "signed_name": labels.SIGNED_NAME,
    "signing_key": labels.SIGNING_KEY,
    "summary": labels.SUMMARY,
    "title": labels.TITLE,
    "total": labels.TOTAL,
    "value": labels.VALUE,
    "vat_line": labels.VAT_LINE,
}


def template_data(statement: Statement) -> dict[str, Any]:
    """Return everything that the template prints; it holds no markup and is never read as such."""
    number = statement.statement_no
    return {
        "words": _WORDS,
        "title": f"{number} · {labels.TITLE}",
        "number": number,
        "running": f"{number}  {labels.VERSION.zh} {statement.version}",
        "operator": {"names": [statement.operator.name_zh, statement.operator.name_en]},
        "party": party_data(statement.party, party_facts(statement)),
        "facts": facts_data(document_facts(statement)),
        "unit": unit(statement.currency),
        "headline": _headline(statement),
        "summary": [
            {"label": row.label, "amount": shown(row.amount_minor), "column": row.column}
            | {"name": row.name}
            for row in summary_rows(statement)
        ],
        "history": _chart(statement.history[-_CHART_MONTHS:]),
        "activities": [_activity(activity) for activity in statement.activities],
        "activity_total": _activity(statement.activity_total),
        "vat": _vat(statement),
        "payment": payment_tables(statement),
        "movements": movements_table(statement),
        "adjustments": adjustments_table(statement),
        "counterparties": counterparties_table(statement),
        "issued": issued_table(statement),
        "securities": securities_table(statement),
        "control": control_tables(statement),
        "notes": notes(statement),
        "key": key_data(statement.signing_key),
        "countersigned": not is_operator(statement),
    }


def party_data(party: Party, facts: tuple[Fact, ...]) -> dict[str, Any]:
    """Return whom a document is for."""
    return {
        "code": party.code,
        "names": [party.name_zh, party.name_en],
        "facts": facts_data(facts),
    }


def key_data(key: SigningKey | None) -> dict[str, str] | None:
    """Return the key that signs a document, as people compare it."""
    return None if key is None else {"kid": key.kid, "fingerprint": key.fingerprint}


def facts_data(facts: tuple[Fact, ...]) -> list[dict[str, Any]]:
    """Return lines of a header."""
    return [{"label": fact.label, "text": fact.text} for fact in facts]


def unit(currency: str) -> Label:
    """Say in what the amounts of a table are."""
    unit = labels.UNITS.get(currency)
    if unit is None:
        return Label(f"单位：{currency}", f"Amounts in {currency}")
    return Label(f"单位：{unit.zh}", f"Amounts in {unit.en} ({currency})")


def _headline(statement: Statement) -> dict[str, Any]:
    """Return the one amount that matters, who pays it to whom, and in capitals where they are used."""
    summary = statement.summary
    amount = to_transfer_minor(statement)
    differs = amount != summary.net_minor
    written = f"人民币{capitals(amount)}" if statement.currency == "CNY" else ""
    return {
        "label": labels.REALLY_TRANSFERRED if differs else labels.NET,
        "net": f"{labels.NET} {shown(summary.net_minor)}" if differs else "",
        "direction": direction(amount),
        "sign": (amount > 0) - (amount < 0),
        "currency": statement.currency,
        "amount": shown(abs(amount)),
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
    return facts_data(facts)
