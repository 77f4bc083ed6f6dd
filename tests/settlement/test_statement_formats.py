"""Statements in every format: the same figures, the same bytes every time, and no tricks."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from pypdf import PdfReader

from settlement.statements import labels, presentation
from settlement.statements.amounts import capitals, percent, shown
from settlement.statements.formats import FORMATS
from settlement.statements.statement import LINE_COLUMNS, Statement, StatementLine
from tests.settlement.statement_samples import (
    BAM,
    LINES,
    ManyLines,
    empty,
    operator,
    rendered,
    with_counterparties,
    with_lines,
)

ROOT = Path(__file__).parents[2]
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


# The same bytes, whoever renders them, where and when


def test_the_four_formats_of_the_contract_are_there() -> None:
    assert list(FORMATS) == ["pdf", "xlsx", "csv", "json"]


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_do_not_depend_on_process_time_place_or_user(name: str, tmp_path: Path) -> None:
    def elsewhere(umask: int, **more: str) -> bytes:
        program = ROOT / "tests" / "settlement" / "statement_samples.py"
        done = subprocess.run(
            [sys.executable, str(program), name],
            env={**os.environ, "PYTHONPATH": str(ROOT), **more},
            cwd=tmp_path,
            umask=umask,
            capture_output=True,
            check=True,
        )
        return done.stdout

    here = rendered(BAM, name)
    first = elsewhere(0o022, TZ="America/St_Johns", LC_ALL="C", PYTHONHASHSEED="1")
    time.sleep(2.1)  # a ZIP counts time in steps of two seconds
    second = elsewhere(0o077, TZ="Asia/Shanghai", LC_ALL="C.UTF-8", PYTHONHASHSEED="2")
    assert first == second == here


@pytest.mark.parametrize("name", FORMATS)
def test_no_path_of_the_machine_is_in_a_file(name: str) -> None:
    content = rendered(BAM, name)
    if name == "xlsx":
        with ZipFile(BytesIO(content)) as parts:
            content = b"".join(parts.read(part) for part in parts.namelist())
    for path in (ROOT, Path.home(), Path(sys.prefix), Path(tempfile.gettempdir())):
        assert len(str(path)) < 2 or str(path).encode() not in content


@pytest.mark.parametrize("name", ["csv", "json", "xlsx"])
@pytest.mark.parametrize("count", [3, 5])
def test_lines_that_are_not_as_many_as_promised_are_an_error(name: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"has {count} lines, 4 were read"):
        rendered(with_lines(LINES, count), name)


@pytest.mark.parametrize(("name", "count"), [("csv", 300_000), ("json", 100_000), ("xlsx", 60_000)])
def test_memory_does_not_grow_with_the_lines(name: str, count: int) -> None:
    program = """
import resource, sys, tempfile
from settlement.statements.formats import FORMATS
from tests.settlement.statement_samples import ManyLines, with_lines
name, count = sys.argv[1], int(sys.argv[2])
def peak(lines):
    with tempfile.TemporaryFile() as out:
        FORMATS[name](with_lines(ManyLines(lines), lines), out)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
few = peak(5_000)
print(peak(count) - few)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, name, str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    kibibytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kibibytes < 16 * 1024


# CSV


def test_csv_has_the_columns_of_the_contract_and_plain_line_ends() -> None:
    content = rendered(BAM, "csv")
    lines = content.decode().split("\n")
    assert lines[0] == ",".join(LINE_COLUMNS)
    assert content.startswith(b"statement_no,line_no,txn_id,")
    assert b"\r" not in content
    assert lines[-1] == ""
    assert len(lines) == 1 + len(LINES) + 1


def test_csv_says_what_applies_and_nothing_else() -> None:
    spend, redeem, own, _ = csv_rows(BAM)
    assert (spend["is_cross_system"], spend["late"]) == ("true", "false")
    assert (own["is_cross_system"], own["late"], own["fee_minor"]) == ("false", "true", "0")
    assert (redeem["fee_minor"], redeem["gross_credit_minor"]) == ("", "")
    assert redeem["lots"] == "7:500;9:300"
    assert spend["business_date"] == "2026-11-11"
    assert spend["occurred_at"] == "2026-11-11T23:30:00.000001+08:00"
    assert own["remarks"] == "示例 sample"


def test_csv_adds_up_to_the_summary() -> None:
    def total(column: str) -> int:
        return sum(int(row[column] or 0) for row in csv_rows(BAM))

    summary = BAM.summary
    assert total("gross_credit_minor") == summary.receivable_minor
    assert total("gross_debit_minor") == summary.payable_minor
    assert total("fee_minor") == summary.fees_minor
    assert total("net_minor") == summary.net_minor


def test_csv_gives_back_every_text_unchanged() -> None:
    rows = csv_rows(nasty_lines())
    assert [row["txn_ref"] for row in rows] == list(NASTY)
    assert [row["remarks"] for row in rows] == list(NASTY)


def test_csv_of_no_lines_is_a_header() -> None:
    assert rendered(empty(), "csv").decode() == ",".join(LINE_COLUMNS) + "\n"


# JSON


def test_json_holds_header_totals_and_lines() -> None:
    found = json.loads(rendered(BAM, "json"))
    assert found["statement_no"] == "ST-2026-11-BAM"
    assert found["party"]["name_zh"] == "示例竹韵酒店集团"
    assert found["generated_at"] == "2026-12-04T00:00:00+08:00"
    assert found["due_date"] == "2026-12-14"
    assert found["rulebook_versions"] == ["sample-1"]
    assert found["activities"][2] == {
        "kind": "stored_value",
        "cross_count": 1,
        "cross_base_minor": 30_050,
        "fee_minor": 150,
        "own_count": 0,
        "own_base_minor": 0,
    }
    assert [row["code"] for row in found["counterparties"]] == ["AUR", "CLD"]
    assert found["history"][0] == {"period": "2026-09", "net_minor": -500_000}
    assert found["line_count"] == len(found["lines"]) == 4
    totals = found["summary"]
    assert totals["closing_minor"] == 28_211
    assert (
        totals["opening_minor"]
        + totals["receivable_minor"]
        - totals["payable_minor"]
        - totals["fees_minor"]
        + totals["adjustments_minor"]
        - totals["payments_minor"]
        == totals["closing_minor"]
    )


def test_json_lines_equal_the_csv() -> None:
    def as_csv(value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    statement = nasty_lines()
    lines = json.loads(rendered(statement, "json"))["lines"]
    assert [{key: as_csv(value) for key, value in line.items()} for line in lines] == csv_rows(
        statement
    )
    assert list(lines[0]) == list(LINE_COLUMNS)


def test_json_has_one_line_of_text_for_each_line() -> None:
    text = rendered(BAM, "json").decode()
    assert sum(line.startswith('{"statement_no"') for line in text.split("\n")[1:]) == 4
    assert json.loads(rendered(empty(), "json"))["lines"] == []


# XLSX


def test_workbook_lines_have_the_exact_columns_and_the_values_of_the_csv() -> None:
    book = workbook(BAM)
    assert book.sheetnames == ["汇总 Summary", "对方 Counterparties", "明细 Lines"]
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
    assert checks(BAM) == [0, 0, 0, 0, 0]
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


def test_workbook_is_dated_by_the_statement() -> None:
    properties = workbook(BAM).properties
    assert properties.created == properties.modified == datetime(2026, 12, 3, 16)  # noqa: DTZ001


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


def test_every_column_has_words() -> None:
    assert set(LINE_COLUMNS) <= set(labels.COLUMNS)


# PDF


def test_pdf_says_who_what_when_and_how_much() -> None:
    text = "".join(pdf_pages(BAM))
    for words in (
        "酒店联盟清算所",
        "Hotel Alliance Clearing House",
        "清算对账单",
        "示例竹韵酒店集团",
        "Sample Bamboo Hotels",
        "ST-2026-11-BAM",
        "91330000SAMPLE0001",
        "****0000",
        "2026-11 (2026-11-01 – 2026-11-30)",
        "Asia/Shanghai",
        "2026-12-04 00:00:00 +08:00",
        "2026-12-14",
        "sample-1",
        "已发布 Published",
        "应收 CNY 282.11",
        "To receive",
        "人民币贰佰捌拾贰元壹角壹分",
        "300.50",
        "−8.00",
        "−10.39",
        "(−0.59)",
        "282.11",
        "9.80",
        "888.88",
        "示例曙光酒店",
        "292.50",
        "−5,000.00",
        "非交换不收费",
        "本对账单共 4 行明细",
    ):
        assert words in text, words


def test_pdf_numbers_its_pages() -> None:
    pages = pdf_pages(with_counterparties(60))
    assert len(pages) >= 3
    for number, page in enumerate(pages, start=1):
        assert f"第 {number} 页 共 {len(pages)} 页" in page
        assert f"Page {number} of {len(pages)}" in page


def test_pdf_repeats_the_heading_and_keeps_the_total_with_the_last_row() -> None:
    for count in (1, *range(5, 10), *range(28, 40)):
        pages = pdf_pages(with_counterparties(count))
        with_rows = [page for page in pages if "Sample Hotel Group" in page]
        assert all("Net before fees" in page for page in with_rows)
        last = next(page for page in pages if f"X{count:03d}" in page)
        total = -1_002 * count * (count + 1) // 2
        assert shown(total) in last


def test_pdf_says_which_way_the_money_goes() -> None:
    debtor = replace(BAM.summary, net_minor=-28_211, closing_minor=-28_211)
    text = "".join(pdf_pages(replace(BAM, summary=debtor)))
    assert "应付 CNY 282.11" in text
    assert "To pay" in text
    assert "To receive" not in text


def test_pdf_of_a_system_that_did_nothing() -> None:
    (page,) = pdf_pages(empty())
    assert "无需收付 CNY 0.00" in page
    assert "本账期无跨系统往来" in page
    assert "−0.00" not in page.replace("(−", "(")


def test_pdf_of_the_clearing_house() -> None:
    text = "".join(pdf_pages(operator()))
    assert "Clearing fees earned" in text
    assert "应收 CNY 10.91" in text
    assert "finance director" not in text


def test_pdf_shows_vat_on_top_as_a_part_of_the_net() -> None:
    summary = replace(
        BAM.summary, vat_on_top=True, vat_minor=62, net_minor=28_149, closing_minor=28_149
    )
    text = "".join(pdf_pages(replace(BAM, summary=summary)))
    assert "VAT on top 6%" in text
    assert "−0.62" in text
    assert "11.01" in text


def test_pdf_prints_markup_in_a_name_as_it_is() -> None:
    name = '#import "x" #strong[*bold*] $a$ `b` <c> @d // e'
    party = replace(BAM.party, name_en=name)
    assert name in "".join(pdf_pages(replace(BAM, party=party))).replace("\n", " ")


def test_pdf_is_archival_and_dated_by_the_statement() -> None:
    content = rendered(BAM, "pdf")
    reader = PdfReader(BytesIO(content))
    assert reader.metadata is not None
    assert reader.metadata.title == "ST-2026-11-BAM · 清算对账单 Settlement Statement"
    assert reader.metadata.creation_date == BAM.generated_at
    assert b"<pdfaid:part>2</pdfaid:part>" in content


def test_pdf_is_made_even_for_a_name_that_the_fonts_cannot_write() -> None:
    party = replace(BAM.party, name_zh="示例\U0001f600酒店")
    statement = replace(BAM, party=party)
    content = rendered(statement, "pdf")
    assert b"pdfaid" not in content
    assert content == rendered(statement, "pdf")
    assert "酒店" in "".join(pdf_pages(statement))


# Amounts


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角"),
        (10_050, "壹佰元伍角"),
        (10_005, "壹佰元零伍分"),
        (100_500, "壹仟零伍元整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (1_000_000, "壹万元整"),
        (10_000_500, "壹拾万零伍元整"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (100_000_000, "壹佰万元整"),
        (10_000_000_000, "壹亿元整"),
        (10_000_100_000, "壹亿零壹仟元整"),
        (10_100_000_000, "壹亿零壹佰万元整"),
        (8_670_394_016_362, "捌佰陆拾柒亿零叁佰玖拾肆万零壹佰陆拾叁元陆角贰分"),
        (120_000_000_000_000, "壹万贰仟亿元整"),
        (-600_714, "陆仟零柒元壹角肆分"),
    ],
)
def test_amounts_in_capitals(minor: int, text: str) -> None:
    assert capitals(minor) == text


def test_amounts_and_rates_as_people_write_them() -> None:
    assert [shown(minor) for minor in (0, -5, 123_456, -123_456_789)] == [
        "0.00",
        "−0.05",
        "1,234.56",
        "−1,234,567.89",
    ]
    assert [percent(ppm) for ppm in (60_000, 5_000, 0, 62_500, 1)] == [
        "6%",
        "0.5%",
        "0%",
        "6.25%",
        "0.0001%",
    ]


def test_the_samples_are_lines_of_the_contract() -> None:
    assert all(isinstance(line, StatementLine) for line in LINES)
