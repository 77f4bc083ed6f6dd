"""The debit note: what a net debtor has to pay, why, until when, and to which account."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from clearinghouse.domain.operator_profile import OperatorProfile
from settlement.statements import debit_note
from settlement.statements.debit_note import DebitNote
from tests.settlement.statement_samples import BAM

NOTE = DebitNote(
    number="DN-202611-BAM-1",
    statement_no="ST-202611-BAM-1",
    period="2026-11",
    timezone="Asia/Shanghai",
    currency="CNY",
    issued_at=BAM.generated_at,
    due_date=BAM.due_date,
    party=BAM.party,
    operator=OperatorProfile(
        name_zh="示例清算有限公司",
        name_en="Sample Clearing Ltd",
        bank_account="6222 0000 0000 9999",
        bank_name="示例银行上海分行",
        bank_code="102290000013",
    ),
    reference="CH-202611-BAM-1",
    amount_minor=600_714,
    net_minor=-600_814,
    carried_minor=100,
    signing_key=BAM.signing_key,
)


def content(note: DebitNote) -> bytes:
    out = BytesIO()
    debit_note.render(note, out)
    return out.getvalue()


def text(note: DebitNote) -> str:
    (page,) = PdfReader(BytesIO(content(note))).pages
    return page.extract_text()


def test_a_debit_note_says_what_to_pay_why_until_when_and_where() -> None:
    found = text(NOTE)
    for words in (
        "付款通知书",
        "Debit Note",
        "DN-202611-BAM-1",
        "ST-202611-BAM-1",
        "示例竹韵酒店集团",
        "CNY 6,007.14",
        "人民币陆仟零柒元壹角肆分",
        "2026-12-14",
        "6,008.14",
        "−1.00",
        "示例清算有限公司",
        "6222 0000 0000 9999",
        "示例银行上海分行",
        "102290000013",
        "CH-202611-BAM-1",
        "5A3F 00C1",
        "Page 1 of 1",
    ):
        assert words in found, words


def test_without_an_account_the_note_says_that_it_will_be_told() -> None:
    found = text(replace(NOTE, operator=OperatorProfile()))
    assert "will be told by the clearing house" in found
    assert "行号" not in found


def test_what_else_the_system_has_to_pay_is_added() -> None:
    found = text(replace(NOTE, net_minor=-600_000, carried_minor=-714))
    assert "Plus what else stands to be paid on the account" in found
    assert "7.14" in found


def test_parts_that_are_not_the_amount_make_no_note() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        content(replace(NOTE, net_minor=-1))


def test_the_same_note_has_the_same_bytes() -> None:
    assert content(NOTE) == content(replace(NOTE))
