"""The workbook: exact columns, amounts that are never rounded, formulas that add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from settlement.statements import presentation
from settlement.statements.statement import LINE_COLUMNS, Statement
from tests.settlement.statement_reading import (
    NASTY,
    checks,
    nasty_lines,
    pdf_pages,
    sheet_rows,
    workbook,
)
from tests.settlement.statement_samples import (
    BAM,
    LINES,
    ManyLines,
    control_of,
    empty,
    full,
    operator,
    with_counterparties,
    with_lines,
)


def test_workbook_lines_have_the_exact_columns_and_the_values_of_the_csv() -> None:
    book = workbook(BAM)
    assert book.sheetnames[:3] == ["汇总 Summary", "对方 Counterparties", "明细 Lines"]
    sheet = book["明细 Lines"]
    assert [cell.value for cell in sheet[2]][: len(LINE_COLUMNS)] == list(LINE_COLUMNS)
    assert sheet["A1"].value == "对账单号\nStatement no."
    shanghai = ZoneInfo("Asia/Shanghai")
    for found, line in zip(sheet_rows(sheet), LINES, strict=True):
        for name in LINE_COLUMNS:
            expected = getattr(line, name)
            if isinstance(expected, datetime):
                local = expected.astimezone(shanghai).replace(tzinfo=None, microsecond=0)
                assert found[name] == local
            elif name == "business_date":
                assert found[name].date() == expected
            else:
                assert found[name] == expected


def test_workbook_shows_the_amounts_in_yuan_beside_the_fen() -> None:
    spend, redeem, own, stored = sheet_rows(workbook(BAM)["明细 Lines"])
    assert (spend["fee_base"], spend["fee"], spend["net"]) == (888.88, 8.89, -8.89)
    assert (redeem["gross_debit"], redeem["fee"]) == (8, None)
    assert own["fee"] == 0
    assert stored["gross_credit"] == 300.5


def test_workbook_text_is_text_whatever_it_looks_like() -> None:
    sheet = workbook(nasty_lines(), formulas=True)["明细 Lines"]
    column = LINE_COLUMNS.index("txn_ref") + 1
    cells = [sheet.cell(row, column) for row in range(3, 3 + len(NASTY))]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert {cell.hyperlink for cell in cells} == {None}
    assert [openpyxl.utils.escape.unescape(cell.value) for cell in cells] == list(NASTY)


def test_workbook_names_are_text_too() -> None:
    rows = tuple(replace(BAM.counterparties[0], name_zh=text, name_en=text) for text in NASTY)
    sheet = workbook(replace(BAM, counterparties=rows), formulas=True)["对方 Counterparties"]
    cells = [sheet.cell(row, 2) for row in range(3, 3 + len(NASTY))]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    # openpyxl undoes one escape of shared strings itself, and only that one.
    unescape = openpyxl.utils.escape.unescape
    assert [unescape(cell.value) for cell in cells] == [unescape(text) for text in NASTY]


def test_workbook_formulas_add_up_and_have_their_results() -> None:
    formulas = workbook(BAM, formulas=True)["汇总 Summary"]
    results = workbook(BAM)["汇总 Summary"]
    by_name = {row[0].value: row for row in formulas.iter_rows() if row[0].value}
    cached = {row[0].value: row for row in results.iter_rows() if row[0].value}
    assert str(by_name["本期净额"][3].value).startswith("=ROUND(")
    assert cached["本期净额"][3].value == 282.11
    assert cached["期末余额"][3].value == 282.11
    assert cached["期初余额"][3].value == 10
    assert cached["    应收（作为接待方）"][2].value == 300.5
    assert cached["    应付（作为发行方）"][2].value == -8
    assert checks(BAM) == [0, 0, 0, 0, 0, 0]
    assert checks(operator()) == [0, 0, 0]
    assert "'明细 Lines'!$AI$3:$AI$6" in by_name["明细净额合计 − 本期净额"][2].value


def test_workbook_shows_a_statement_that_does_not_foot() -> None:
    summary = replace(BAM.summary, fees_minor=BAM.summary.fees_minor + 1)
    sheet = workbook(replace(BAM, summary=summary))["汇总 Summary"]
    cached = {row[0].value: row for row in sheet.iter_rows() if row[0].value}
    assert cached["明细手续费合计 − 清算手续费"][2].value == -0.01


def test_workbook_counterparties_have_a_total_that_follows_the_filter() -> None:
    sheet = workbook(BAM)["对方 Counterparties"]
    rows = sheet_rows(sheet)
    assert rows[0]["receivable"] == 300.5
    assert (rows[-1]["receivable"], rows[-1]["payable"], rows[-1]["net"]) == (300.5, 8, 292.5)
    formulas = workbook(BAM, formulas=True)["对方 Counterparties"]
    assert formulas["E5"].value == "=SUBTOTAL(109,E3:E4)"


def test_workbook_has_a_sheet_for_each_section_that_has_something() -> None:
    names = workbook(full()).sheetnames[3:]
    assert names == [
        "收付 Movements",
        "调整 Adjustments",
        "积分负债 Points",
        "保证金与债权 Collateral",
    ]
    assert workbook(empty()).sheetnames[3:] == []
    assert workbook(operator()).sheetnames[3:] == ["总控 Control"]


def test_workbook_sections_have_their_rows_and_totals() -> None:
    book, formulas = workbook(full()), workbook(full(), formulas=True)
    moved = sheet_rows(book["收付 Movements"])
    assert [row["amount"] for row in moved] == [98_765_432.1, 1_000, -500, 98_765_932.1]
    assert moved[0]["reference"] == "CH-202610-BAM-1"
    adjusted = sheet_rows(book["调整 Adjustments"])
    assert [row["adjustment"] for row in adjusted] == [-1_234.56, 50, None, -1_184.56]
    assert [row["fee"] for row in adjusted] == [None, None, 12, 12]
    points = sheet_rows(book["积分负债 Points"])
    assert [row["closing"] for row in points] == [98_786_386, 1_000, 98_787_386]
    assert points[-1]["fair_value"] == 987_873.86
    assert formulas["收付 Movements"]["E6"].value == "=SUBTOTAL(109,E3:E5)"


def test_workbook_checks_sections_against_the_summary() -> None:
    statement = full()
    wrong = replace(statement.summary, payments_minor=statement.summary.payments_minor + 1)
    cached = {
        row[0].value: row
        for row in workbook(replace(statement, summary=wrong))["汇总 Summary"].iter_rows()
        if row[0].value
    }
    assert cached["调整合计 − 调整"][2].value == 0
    assert cached["收付合计 − 已收付款"][2].value == 0.01


def test_workbook_control_lists_every_system_and_proves_nothing_is_left() -> None:
    statement = operator()
    sheet = workbook(statement)["总控 Control"]
    rows = sheet_rows(sheet)
    assert [row["code"] for row in rows[:3]] == ["AUR", "BAM", "CLD"]
    assert (rows[0]["net"], rows[0]["transfer"]) == (-306.62, -306.62)
    assert rows[3]["net"] == -10.91
    proofs = {row["code"]: row["name_en"] for row in rows[4:] if row["name_en"] is not None}
    assert len(proofs) == 3
    assert set(proofs.values()) == {0}
    assert workbook(control_of(45))["总控 Control"]["D3"].value == 0


def test_workbook_is_dated_by_the_statement() -> None:
    properties = workbook(BAM).properties
    assert properties.created == properties.modified == datetime(2026, 12, 3, 16)  # noqa: DTZ001  a workbook's dates have no zone


def test_workbook_of_too_many_lines_says_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentation, "WORKBOOK_LINE_LIMIT", 3)
    book = workbook(BAM)
    assert [row[0] for row in book["明细 Lines"].iter_rows(values_only=True)] == [
        "本对账单共 4 行明细，见同一对账单的 CSV 文件；明细合计与汇总一致。",
        (
            "The statement has 4 lines, listed in the CSV file of this statement; "
            "they add up to the summary."
        ),
    ]
    assert "the CSV file of this statement" in "".join(pdf_pages(BAM)).replace("\n", " ")


def test_workbook_never_rounds_an_amount() -> None:
    huge = 10**17 + 1
    exact = 999_999_999_999_999
    lines = [
        replace(LINES[3], gross_credit_minor=huge),
        replace(LINES[3], gross_credit_minor=exact),
    ]
    first, second = sheet_rows(workbook(with_lines(lines, 2))["明细 Lines"])
    assert first["gross_credit_minor"] == str(huge)
    assert first["gross_credit"] == "1,000,000,000,000,000.01"
    assert second["gross_credit_minor"] == exact
    assert second["gross_credit"] == 9_999_999_999_999.99


def test_workbook_cuts_a_text_that_no_cell_can_hold_and_says_so() -> None:
    lots = ";".join(f"{number}:100" for number in range(10_000))
    (row,) = sheet_rows(workbook(with_lines([replace(LINES[1], lots=lots)], 1))["明细 Lines"])
    assert row["lots"].endswith("… (CSV)")
    assert lots.startswith(row["lots"].removesuffix("… (CSV)"))


@pytest.mark.parametrize("make", [empty, operator, lambda: with_counterparties(60)])
def test_workbook_opens_for_every_kind_of_statement(make: Callable[[], Statement]) -> None:
    statement = make()
    assert workbook(statement)["明细 Lines"].max_row == 2 + statement.line_count


def test_workbook_of_many_lines_lists_them_all() -> None:
    sheet = workbook(with_lines(ManyLines(3_000), 3_000))["明细 Lines"]
    assert sheet.max_row == 3_002
    assert sheet["D3002"].value == "SAMPLE-3000"
