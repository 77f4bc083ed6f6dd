"""A member's statement says how its net is settled: what is set off, what really moves, and what stays open."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from pypdf import PdfReader

from settlement.recompute import recompute
from settlement.run import read_file
from tests.payments.desk import OCTOBER, Desk

NOVEMBER = OCTOBER + 1


def content(desk: Desk, ending: str, period: int = NOVEMBER) -> bytes:
    return b"".join(read_file(desk.context, period, f"statements/AUR.{ending}"))


def payment(desk: Desk, period: int = NOVEMBER) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content(desk, "json", period))["payment"]
    return found


def printed(desk: Desk) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(content(desk, "pdf"))).pages)


def host(desk: Desk, points: int) -> None:
    """AUR, which has not paid October's 312.50, is to receive for November what points are worth less fees."""
    desk.post("spend", "BAM-HZ", "n1", "T1", "2026-11-13", amount=5_000_000)
    desk.post("redeem", "AUR-BJ", "n2", "T1", "2026-11-14", points=points)
    desk.settle("2026-11")


def test_a_net_that_older_debts_take_in_part_says_what_is_paid(desk: Desk) -> None:
    host(desk, points=50_000)
    assert payment(desk) == {
        "way": "transfer",
        "reference": "CH-202611-AUR-1",
        "net_minor": 49_000,
        "carried_minor": 0,
        "set_off_minor": 31_250,
        "amount_minor": 17_750,
        "older_debts": [
            {
                "reference": "CH-202610-AUR-1",
                "unpaid_minor": 31_250,
                "set_off_minor": 31_250,
                "left_minor": 0,
            }
        ],
    }
    assert desk.instruction("AUR", NOVEMBER).outstanding_minor == 17_750
    text = printed(desk)
    for words in (
        "应收 CNY 177.50",
        "人民币壹佰柒拾柒元伍角",
        "本期净额 Net of the period 490.00",
        "净额如何收付",
        "−312.50",
        "CH-202610-AUR-1",
        "CH-202611-AUR-1",
    ):
        assert words in text, words
    assert "应收 CNY 490.00" not in text
    sheet = load_workbook(BytesIO(content(desk, "xlsx"))).worksheets[0]
    rows = [tuple(cell.value for cell in row[2:4]) for row in sheet.iter_rows()]
    assert ("CH-202610-AUR-1", -312.5) in rows
    assert any(row[0] == "CH-202611-AUR-1" for row in rows)
    assert [file.path for file in recompute(desk.context, NOVEMBER) if file.wrong] == []


def test_a_net_that_older_debts_take_whole_says_that_nothing_is_paid(desk: Desk) -> None:
    host(desk, points=20_000)
    found = payment(desk)
    assert (found["way"], found["amount_minor"]) == ("set_off", 0)
    (debt,) = found["older_debts"]
    assert debt["set_off_minor"] == found["net_minor"] == found["set_off_minor"]
    assert debt["left_minor"] == desk.instruction("AUR").outstanding_minor > 0
    text = printed(desk)
    assert "无需收付 CNY 0.00" in text
    assert "仍须支付" in text


def test_a_net_that_is_paid_as_it_is_says_by_which_reference(desk: Desk) -> None:
    found = payment(desk, OCTOBER)
    assert (found["way"], found["reference"]) == ("debit_note", "CH-202610-AUR-1")
    assert found["amount_minor"] == found["net_minor"] == -31_250
    assert found["older_debts"] == []
