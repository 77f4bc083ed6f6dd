"""A statement as a workbook: the summary with formulas to add it up again, the counterparties and the lines.

Amounts are numbers in yuan on every sheet; only the contract's ``*_minor`` columns among the lines
hold fen, as their names say, and stand beside the same amounts in yuan. Moments are local to the
statement's time zone: a spreadsheet knows no other. The lines are streamed through the disk, so
memory does not grow with them; above ``WORKBOOK_LINE_LIMIT`` they are in the CSV alone and the
sheet says so. The document's dates are the statement's own ``generated_at``.
"""

from __future__ import annotations

import tempfile
from datetime import UTC
from io import BytesIO
from typing import BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from clearinghouse.domain.calendar import zone
from settlement.statements import labels
from settlement.statements.lines import counted_lines
from settlement.statements.presentation import lines_in_workbook
from settlement.statements.statement import Statement
from settlement.statements.xlsx_cells import styles as add_styles
from settlement.statements.xlsx_counterparties import write_counterparties
from settlement.statements.xlsx_lines import write_lines
from settlement.statements.xlsx_rows import FIRST_ROW, LineTotals, put_together, write_rows
from settlement.statements.xlsx_sections import write_sections
from settlement.statements.xlsx_summary import write_summary

_LINES_MEMBER = "xl/worksheets/sheet3.xml"


def render(statement: Statement, out: BinaryIO) -> None:
    """Write the workbook.

    Raises:
        ValueError: the lines are not as many as the statement says.
    """
    with tempfile.TemporaryFile() as rows:
        totals = LineTotals()
        if lines_in_workbook(statement):
            totals = write_rows(rows, counted_lines(statement), zone(statement.timezone))
        rows.seek(0)
        workbook = BytesIO()
        _write_workbook(statement, totals, workbook)
        put_together(workbook, _LINES_MEMBER, rows, FIRST_ROW + totals.count - 1, out)


def _write_workbook(statement: Statement, totals: LineTotals, out: BinaryIO) -> None:
    """Write everything but the rows of the lines."""
    with Workbook(out, {"in_memory": True}) as workbook:
        workbook.set_properties(
            {
                "title": f"{statement.statement_no} · {labels.TITLE}",
                "author": f"{statement.operator.name_zh} {statement.operator.name_en}",
                "created": statement.generated_at.astimezone(UTC),
            }
        )
        styles = add_styles(workbook)
        summary = _sheet(workbook, str(labels.SHEET_SUMMARY))
        counterparties = _sheet(workbook, str(labels.SHEET_COUNTERPARTIES))
        lines = _sheet(workbook, str(labels.SHEET_LINES))
        columns = {
            **write_counterparties(counterparties, styles, statement),
            **write_lines(lines, styles, statement, totals),
            **write_sections(lambda name: _sheet(workbook, str(name)), styles, statement),
        }
        write_summary(workbook, summary, styles, statement, columns)


def _sheet(workbook: Workbook, name: str) -> Worksheet:
    sheet = workbook.add_worksheet(name)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_default_row(18)
    sheet.set_footer("&L&A&R第 &P 页 共 &N 页 · Page &P of &N")
    return sheet
