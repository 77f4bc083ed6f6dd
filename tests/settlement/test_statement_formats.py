"""Statements in every format: the same figures, the same bytes every time, and no tricks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from settlement.statements import labels
from settlement.statements.amounts import capitals, percent, shown
from settlement.statements.formats import FORMATS
from settlement.statements.statement import LINE_COLUMNS, StatementLine
from tests.settlement.statement_reading import (
    NASTY,
    csv_rows,
    nasty_lines,
)
from tests.settlement.statement_samples import (
    BAM,
    LINES,
    empty,
    rendered,
    with_lines,
)

ROOT = Path(__file__).parents[2]


# The same bytes, whoever renders them, where and when


def test_the_formats_of_the_contract_are_there() -> None:
    assert list(FORMATS) == ["pdf", "xlsx", "csv", "json", "camt053"]


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
    if name == "xlsx":
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


@pytest.mark.parametrize(("name", "count"), [("csv", 150_000), ("json", 60_000), ("xlsx", 40_000)])
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


def test_every_column_has_words() -> None:
    assert set(LINE_COLUMNS) <= set(labels.COLUMNS)


# PDF


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
