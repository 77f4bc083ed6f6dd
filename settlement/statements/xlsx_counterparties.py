"""The sheet of counterparties, with totals that follow its filter."""

from __future__ import annotations

from xlsxwriter.utility import xl_range, xl_range_abs
from xlsxwriter.worksheet import Worksheet

from settlement.statements import labels
from settlement.statements.statement import Statement
from settlement.statements.xlsx_cells import (
    Column,
    Styles,
    put_amount,
    put_heading,
    put_sum,
    put_text,
    put_whole,
)

_COLUMNS = (
    ("code", labels.CODE, 14),
    ("name_zh", labels.NAME_ZH, 44),
    ("name_en", labels.NAME_EN, 52),
    ("receivable_count", labels.COUNT, 16),
    ("receivable", labels.RECEIVABLE_SHORT, 18),
    ("payable_count", labels.COUNT, 16),
    ("payable", labels.PAYABLE_SHORT, 18),
    ("net", labels.NET_BEFORE_FEES, 20),
)
_RECEIVABLE, _PAYABLE, _NET = 4, 6, 7
_FIRST_ROW = 2


def write_counterparties(
    sheet: Worksheet, styles: Styles, statement: Statement
) -> dict[str, Column]:
    """List the counterparties; return the columns that the summary is checked against."""
    for column, (name, label, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        put_heading(sheet, styles, column, label, name, number=column > 2)
    sheet.freeze_panes(_FIRST_ROW, 0)
    sheet.repeat_rows(0, _FIRST_ROW - 1)
    sheet.fit_to_pages(1, 0)
    rows = statement.counterparties
    if not rows:
        put_text(sheet, _FIRST_ROW, 0, str(labels.NO_COUNTERPARTIES), styles.soft)
        return {}
    for row, party in enumerate(rows, start=_FIRST_ROW):
        put_text(sheet, row, 0, party.code, styles.text)
        put_text(sheet, row, 1, party.name_zh, styles.text)
        put_text(sheet, row, 2, party.name_en, styles.text)
        put_whole(sheet, row, 3, party.receivable_count, styles.whole)
        put_amount(sheet, row, _RECEIVABLE, party.receivable_minor, styles.amount)
        put_whole(sheet, row, 5, party.payable_count, styles.whole)
        put_amount(sheet, row, _PAYABLE, party.payable_minor, styles.amount)
        put_amount(sheet, row, _NET, party.net_minor, styles.amount)
    last = _FIRST_ROW + len(rows) - 1
    sheet.autofilter(_FIRST_ROW - 1, 0, last, len(_COLUMNS) - 1)
    totals = {
        _RECEIVABLE: sum(party.receivable_minor for party in rows),
        _PAYABLE: sum(party.payable_minor for party in rows),
        _NET: sum(party.net_minor for party in rows),
    }
    _write_totals(sheet, styles, last, totals)
    return {
        "receivable": _column(_RECEIVABLE, last, totals[_RECEIVABLE]),
        "payable": _column(_PAYABLE, last, totals[_PAYABLE]),
    }


def _write_totals(sheet: Worksheet, styles: Styles, last: int, totals: dict[int, int]) -> None:
    row = last + 1
    put_text(sheet, row, 0, str(labels.TOTAL), styles.text_total)
    for column in range(1, len(_COLUMNS)):
        if column in totals:
            formula = f"=SUBTOTAL(109,{xl_range(_FIRST_ROW, column, last, column)})"
            put_sum(sheet, row, column, formula, totals[column], styles.amount_total)
        else:
            sheet.write_blank(row, column, None, styles.text_total)


def _column(column: int, last: int, total_minor: int) -> Column:
    area = xl_range_abs(_FIRST_ROW, column, last, column)
    return Column(reference=f"'{labels.SHEET_COUNTERPARTIES}'!{area}", total_minor=total_minor)
