"""The first sheet of a workbook: header, totals as formulas, activity, checks, months."""

from __future__ import annotations

from collections.abc import Mapping

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from settlement.statements import labels
from settlement.statements.labels import Label
from settlement.statements.presentation import (
    Fact,
    direction,
    document_facts,
    is_operator,
    party_facts,
    payment_rows,
    summary_rows,
    where_lines_are,
)
from settlement.statements.sections import Payment
from settlement.statements.statement import Statement
from settlement.statements.xlsx_cells import (
    Column,
    Styles,
    put_amount,
    put_sum,
    put_text,
    put_whole,
)

_ZH, _EN, _DETAIL, _TOTAL = range(4)
_WIDTHS = (30, 34, 22, 24, 18, 18, 28)


def write_summary(
    workbook: Workbook,
    sheet: Worksheet,
    styles: Styles,
    statement: Statement,
    columns: Mapping[str, Column],
) -> None:
    """Write the sheet; ``columns`` are the columns of other sheets that have to add up to its totals."""
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.fit_to_pages(1, 1)
    sheet.set_row(0, 26)
    put_text(sheet, 0, 0, f"{statement.operator.name_zh} · {labels.TITLE.zh}", styles.title)
    put_text(sheet, 1, 0, f"{statement.operator.name_en} · {labels.TITLE.en}", styles.soft)
    row = _write_facts(sheet, styles, statement, 3)
    row, cells = _write_totals(sheet, styles, statement, row + 1)
    if statement.payment is not None:
        row = _write_payment(sheet, styles, statement.payment, row + 1)
    row, fees = _write_activities(sheet, styles, statement, row + 1)
    row = _write_checks(sheet, styles, statement, {**columns, "activity": fees}, cells, row + 1)
    _write_history(workbook, sheet, styles, statement, row + 1)


def _write_facts(sheet: Worksheet, styles: Styles, statement: Statement, row: int) -> int:
    party = statement.party
    facts = (
        Fact(labels.PREPARED_FOR, party.name_zh),
        Fact(Label("", ""), party.name_en),
        *party_facts(statement),
        *document_facts(statement),
        Fact(labels.LINE_COUNT, f"{statement.line_count:,}"),
    )
    if statement.signing_key is not None:
        facts = (*facts, Fact(labels.SIGNING_KEY, statement.signing_key.fingerprint))
    for fact in facts:
        put_text(sheet, row, _ZH, fact.label.zh, styles.soft)
        put_text(sheet, row, _EN, fact.label.en, styles.soft)
        put_text(sheet, row, _DETAIL, fact.text, styles.text)
        row += 1
    where = where_lines_are(statement)
    put_text(sheet, row, _ZH, where.zh, styles.soft)
    put_text(sheet, row + 1, _ZH, where.en, styles.soft)
    return row + 2


def _write_totals(
    sheet: Worksheet, styles: Styles, statement: Statement, row: int
) -> tuple[int, dict[str, str]]:
    """Write the summary; return the next free row and the cell of each amount by its name."""
    _section(sheet, styles, row, labels.SUMMARY)
    _headings(sheet, styles, row + 1, (labels.DETAIL, labels.TOTAL))
    row += 2
    rows = summary_rows(statement)
    cells: dict[str, str] = {}
    added: list[str] = []
    formulas = {"net": "", "closing": ""}
    for summary in rows:
        column = _DETAIL if summary.column == "detail" else _TOTAL
        cells[summary.name] = xl_rowcol_to_cell(row, column)
        if summary.column == "detail":
            added.append(cells[summary.name])
        formulas["net"] = f"=ROUND({'+'.join(added)},2)"
        balance = (cells.get(name, "0") for name in ("opening", "net", "payments"))
        formulas["closing"] = f"=ROUND({'+'.join(balance)},2)"
        formula = formulas.get(summary.name)
        text = styles.text_total if formula else styles.text
        memo = summary.column == "memo"
        indent = {"detail": "    ", "memo": "        "}.get(summary.column, "")
        put_text(sheet, row, _ZH, indent + summary.label.zh, styles.soft if memo else text)
        put_text(sheet, row, _EN, indent + summary.label.en, styles.soft if memo else text)
        if formula:
            sheet.write_blank(row, _DETAIL, None, styles.text_total)
            put_sum(sheet, row, _TOTAL, formula, summary.amount_minor, styles.amount_total)
            put_text(sheet, row, _TOTAL + 1, str(direction(summary.amount_minor)), styles.beside)
        elif memo:
            put_amount(sheet, row, _DETAIL, summary.amount_minor, styles.amount_memo)
        else:
            put_amount(sheet, row, column, summary.amount_minor, styles.amount)
        row += 1
    return row, cells


def _write_payment(sheet: Worksheet, styles: Styles, payment: Payment, row: int) -> int:
    """Write how the net is settled and what was unpaid of earlier periods; return the next free row."""
    _section(sheet, styles, row, labels.HOW_SETTLED)
    _headings(sheet, styles, row + 1, (labels.REFERENCE, labels.AMOUNT))
    first = row = row + 2
    *parts, total = payment_rows(payment)
    for part in parts:
        put_text(sheet, row, _ZH, part.label.zh, styles.text)
        put_text(sheet, row, _EN, part.label.en, styles.text)
        put_text(sheet, row, _DETAIL, part.reference, styles.text)
        put_amount(sheet, row, _TOTAL, part.amount_minor, styles.amount)
        row += 1
    put_text(sheet, row, _ZH, total.label.zh, styles.text_total)
    put_text(sheet, row, _EN, total.label.en, styles.text_total)
    put_text(sheet, row, _DETAIL, total.reference, styles.text_total)
    formula = f"=ROUND(SUM({xl_range(first, _TOTAL, row - 1, _TOTAL)}),2)"
    put_sum(sheet, row, _TOTAL, formula, total.amount_minor, styles.amount_total)
    put_text(sheet, row, _TOTAL + 1, str(direction(total.amount_minor)), styles.beside)
    row += 1
    if not payment.older_debts:
        return row
    _section(sheet, styles, row + 1, labels.OLDER_DEBTS)
    columns = (labels.UNPAID_AT_END, labels.SET_OFF_NOW, labels.STILL_UNPAID)
    _headings(sheet, styles, row + 2, columns, labels.REFERENCE)
    row += 3
    for debt in payment.older_debts:
        put_text(sheet, row, _ZH, debt.reference, styles.text)
        amounts = (debt.unpaid_minor, -debt.set_off_minor, debt.left_minor)
        for column, amount in enumerate(amounts, start=_DETAIL):
            put_amount(sheet, row, column, amount, styles.amount)
        row += 1
    return row


def _write_activities(
    sheet: Worksheet, styles: Styles, statement: Statement, row: int
) -> tuple[int, Column]:
    """Write what was done and what it cost; return the next free row and the column of the fees."""
    _section(sheet, styles, row, labels.ACTIVITY)
    cross, own = labels.CROSS_SYSTEM, labels.OWN_SYSTEM
    _headings(
        sheet,
        styles,
        row + 1,
        (
            Label(f"{cross.zh} {labels.COUNT.zh}", f"{cross.en}, {labels.COUNT.en.lower()}"),
            Label(f"{cross.zh} {labels.BASE.zh}", f"{cross.en}, {labels.BASE.en.lower()}"),
            labels.FEE,
            Label(f"本系统 {labels.COUNT.zh}", f"Own system, {labels.COUNT.en.lower()}"),
            Label(own.zh, f"{own.en}, {labels.VALUE.en.lower()}"),
        ),
        labels.BUSINESS,
    )
    first = row = row + 2
    for activity in statement.activities:
        label = labels.KINDS.get(activity.kind) or Label(activity.kind, "")
        put_text(sheet, row, _ZH, label.zh, styles.text)
        put_text(sheet, row, _EN, label.en, styles.text)
        put_whole(sheet, row, 2, activity.cross_count, styles.whole)
        put_amount(sheet, row, 3, activity.cross_base_minor, styles.amount)
        put_amount(sheet, row, 4, activity.fee_minor, styles.amount)
        put_whole(sheet, row, 5, activity.own_count, styles.whole)
        put_amount(sheet, row, 6, activity.own_base_minor, styles.amount)
        row += 1
    fees = sum(activity.fee_minor for activity in statement.activities)
    reference = xl_range(first, 4, row - 1, 4) if row > first else "0"
    return row, Column(reference=reference, total_minor=fees)


def _write_checks(
    sheet: Worksheet,
    styles: Styles,
    statement: Statement,
    columns: Mapping[str, Column],
    cells: Mapping[str, str],
    row: int,
) -> int:
    """Write differences that must be nothing, each a formula that a reader's spreadsheet works out anew."""
    summary = statement.summary
    vat_on_top = f"+{cells['vat']}" if summary.vat_on_top else ""
    before_vat = summary.net_minor + (summary.vat_minor if summary.vat_on_top else 0)
    # What was charged is shown as it was charged, on the clearing house's own statement too.
    sign, charged = "+", summary.fees_minor
    if is_operator(statement):
        sign, charged = "-", -summary.fees_minor
    checks = (
        (
            "receivable",
            labels.CHECK_RECEIVABLE,
            f"-{cells['receivable']}",
            summary.receivable_minor,
        ),
        ("payable", labels.CHECK_PAYABLE, f"+{cells['payable']}", summary.payable_minor),
        ("activity", labels.CHECK_FEES, f"{sign}{cells['fees']}", charged),
        ("fees", labels.CHECK_LINE_FEES, f"+{cells['fees']}", summary.fees_minor),
        ("net", labels.CHECK_LINES, f"-{cells['net']}{vat_on_top}", before_vat),
        (
            "adjustments",
            labels.CHECK_ADJUSTMENTS,
            f"-{cells['adjustments']}",
            summary.adjustments_minor,
        ),
        ("payments", labels.CHECK_PAYMENTS, f"-{cells['payments']}", -summary.payments_minor),
    )
    _section(sheet, styles, row, labels.CHECKS)
    row += 1
    first = row
    for name, label, rest, expected_minor in checks:
        column = columns.get(name)
        if column is None:
            continue
        put_text(sheet, row, _ZH, label.zh, styles.text)
        put_text(sheet, row, _EN, label.en, styles.text)
        formula = f"=ROUND(SUM({column.reference}){rest},2)"
        put_sum(sheet, row, _DETAIL, formula, column.total_minor - expected_minor, styles.check)
        row += 1
    if row > first:
        rule = {"type": "cell", "criteria": "!=", "value": 0, "format": styles.wrong}
        sheet.conditional_format(first, _DETAIL, row - 1, _DETAIL, rule)
    return row


def _write_history(
    workbook: Workbook, sheet: Worksheet, styles: Styles, statement: Statement, row: int
) -> None:
    points = statement.history
    if not points:
        return
    _section(sheet, styles, row, labels.HISTORY)
    first = row = row + 1
    for point in points:
        put_text(sheet, row, _ZH, point.period, styles.text)
        put_amount(sheet, row, _DETAIL, point.net_minor, styles.amount)
        row += 1
    chart = workbook.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": str(labels.HISTORY),
            "categories": [sheet.name, first, _ZH, row - 1, _ZH],
            "values": [sheet.name, first, _DETAIL, row - 1, _DETAIL],
            "fill": {"color": "#0F6B5C"},
            "invert_if_negative": True,
            "invert_if_negative_color": "#A2382C",
            "gap": 60,
        }
    )
    chart.set_title({"name": str(labels.HISTORY), "name_font": {"size": 10, "bold": False}})
    chart.set_legend({"none": True})
    chart.set_x_axis({"label_position": "low", "num_font": {"size": 8}})
    chart.set_y_axis(
        {"num_format": "#,##0", "num_font": {"size": 8}, "major_gridlines": {"visible": 0}}
    )
    chart.set_size({"width": 470, "height": 260})
    sheet.insert_chart(3, 4, chart, {"description": str(labels.HISTORY)})


def _section(sheet: Worksheet, styles: Styles, row: int, label: Label) -> None:
    put_text(sheet, row, _ZH, str(label), styles.section)


def _headings(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    columns: tuple[Label, ...],
    first: Label = labels.ITEM,
) -> None:
    sheet.set_row(row, 32)
    put_text(sheet, row, _ZH, first.zh, styles.heading)
    put_text(sheet, row, _EN, first.en, styles.heading)
    for column, label in enumerate(columns, start=_DETAIL):
        put_text(sheet, row, column, "\n".join(label), styles.heading_right)
