"""The sheet of lines: its headings and its model row, or where the lines are when there are too many."""

from __future__ import annotations

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from settlement.statements import labels
from settlement.statements.presentation import lines_in_workbook, where_lines_are
from settlement.statements.statement import Statement
from settlement.statements.xlsx_cells import Column, Styles, put_heading, put_text
from settlement.statements.xlsx_rows import (
    FIRST_ROW,
    MINOR_COLUMNS,
    SHEET_COLUMNS,
    YUAN_COLUMNS,
    LineTotals,
)

_NUMBERS = {"line_no", "points", "fee_rate_ppm", *MINOR_COLUMNS, *YUAN_COLUMNS}
_WIDTH = 15
_WIDTHS = {
    "statement_no": 24,
    "txn_id": 34,
    "txn_ref": 24,
    "original_txn_ref": 24,
    "occurred_at": 19,
    "posted_at": 19,
    "card_masked": 20,
    "lots": 28,
    "remarks": 28,
}


def write_lines(
    sheet: Worksheet, styles: Styles, statement: Statement, totals: LineTotals
) -> dict[str, Column]:
    """Write the sheet around the rows; return the columns that the summary is checked against."""
    if not lines_in_workbook(statement):
        sheet.set_column(0, 0, 110)
        for row, text in enumerate(where_lines_are(statement)):
            put_text(sheet, row, 0, text, styles.text)
        return {}
    for column, name in enumerate(SHEET_COLUMNS):
        number = name in _NUMBERS
        sheet.set_column(column, column, _WIDTHS.get(name, _WIDTH))
        put_heading(sheet, styles, column, labels.COLUMNS[name], name, number=number)
    sheet.repeat_rows(0, FIRST_ROW - 2)
    sheet.freeze_panes(FIRST_ROW - 1, 0)
    if not totals.count:
        return {}
    # The model row: the five styles in the order in which the rows' writer counts them.
    model = (styles.text, styles.whole, styles.amount, styles.day, styles.moment)
    for column, style in enumerate(model):
        sheet.write_blank(FIRST_ROW - 1, column, None, style)
    last_row = FIRST_ROW + totals.count - 1
    sheet.autofilter(FIRST_ROW - 2, 0, last_row - 1, len(SHEET_COLUMNS) - 1)
    return {
        "fees": _column("fee", last_row, totals.fee_minor),
        "net": _column("net", last_row, totals.net_minor),
    }


def _column(name: str, last_row: int, total_minor: int) -> Column:
    letter = xl_col_to_name(SHEET_COLUMNS.index(name), col_abs=True)
    area = f"{letter}${FIRST_ROW}:{letter}${last_row}"
    return Column(reference=f"'{labels.SHEET_LINES}'!{area}", total_minor=total_minor)
