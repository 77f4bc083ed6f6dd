"""Reading rendered statements back, and references that try to be something else."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any

import openpyxl
from pypdf import PdfReader

from settlement.statements.statement import Statement
from tests.settlement.statement_samples import (
    LINES,
    rendered,
    with_lines,
)

NASTY = (
    '=HYPERLINK("http://sample.invalid","x")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "a,b",
    'say "hi"',
    "two\nlines",
    "carriage\rreturn",
    " outer space ",
    "<r><t>markup</t></r>",
    "&lt;",
    "_x0041_",
    "bell\x07",
    "0100",
    "1e30",
    "中文，😀",
    "#import #strong[x] $a$ `b` \\",
)


def csv_rows(statement: Statement) -> list[dict[str, str]]:
    text = rendered(statement, "csv").decode()
    return list(csv.DictReader(StringIO(text, newline="")))


def workbook(statement: Statement, *, formulas: bool = False) -> Any:
    return openpyxl.load_workbook(BytesIO(rendered(statement, "xlsx")), data_only=not formulas)


def sheet_rows(sheet: Any) -> list[dict[str, Any]]:
    names, *rows = sheet.iter_rows(min_row=2, values_only=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def checks(statement: Statement) -> list[float]:
    sheet = workbook(statement)["汇总 Summary"]
    return [row[2] for row in sheet.iter_rows(values_only=True) if " − " in (row[0] or "")]


def pdf_pages(statement: Statement) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(rendered(statement, "pdf"))).pages]


def nasty_lines() -> Statement:
    lines = [
        replace(LINES[0], line_no=number, txn_ref=text, remarks=text)
        for number, text in enumerate(NASTY, start=1)
    ]
    return with_lines(lines, len(lines))
