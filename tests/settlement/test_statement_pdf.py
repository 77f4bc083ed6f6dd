"""The PDF: who, what, when and how much, in words and figures a person can check."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from pypdf import PdfReader

from settlement.statements.amounts import shown
from tests.settlement.statement_reading import (
    pdf_pages,
)
from tests.settlement.statement_samples import (
    BAM,
    control_of,
    empty,
    full,
    operator,
    rendered,
    with_counterparties,
)


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


def test_pdf_shows_what_moved_was_adjusted_issued_and_pledged() -> None:
    text = "".join(pdf_pages(full()))
    for words in (
        "Payments and other movements",
        "收到付款",
        "Collateral drawn on",
        "CH-202610-BAM-1",
        "98,765,432.10",
        "98,765,932.10",
        "争议成立 Dispute upheld",
        "the stay did not happen",
        "−1,234.56",
        "手续费更正",
        "−12.00",
        "Points liability",
        "98,786,386",
        "987,873.86",
        "保证金余额 Collateral held",
        "50,000.00",
        "对违约方的债权",
    ):
        assert words in text, words
    assert "Control of all systems" not in text


def test_pdf_leaves_out_what_there_is_none_of() -> None:
    text = "".join(pdf_pages(empty()))
    for words in ("movements", "Adjustments made", "Points liability", "Fingerprint", "Collateral"):
        assert words not in text, words


def test_pdf_names_the_key_that_signs_it() -> None:
    text = "".join(pdf_pages(BAM))
    assert BAM.signing_key is not None
    assert BAM.signing_key.fingerprint in text
    assert BAM.signing_key.kid in text


def test_pdf_of_the_clearing_house_controls_every_system() -> None:
    text = "".join(pdf_pages(operator()))
    for words in (
        "清算所总控表",
        "AUR 示例曙光酒店",
        "−306.62",
        "缺银行账户 no bank account",
        "付款通知 debit note",
        "Net positions + fees",
        "手续费 10.91",
        "未兑换积分 Points outstanding",
        "12,345,678",
    ):
        assert words in text, words
    assert "Net before fees" not in text


def test_pdf_of_the_clearing_house_goes_over_many_systems() -> None:
    pages = pdf_pages(control_of(45))
    listed = [page for page in pages if "SYSTEM-" in page]
    assert len(listed) >= 3
    assert all("To transfer" in page for page in listed)
    assert "1,234,567,890.12" in listed[0]
    assert all(f"SYSTEM-{number:02d}" in "".join(listed) for number in range(1, 46))


def test_pdf_shows_vat_on_top_as_a_part_of_the_net() -> None:
    summary = replace(
        BAM.summary, vat_on_top=True, vat_minor=62, net_minor=28_149, closing_minor=28_149
    )
    text = "".join(pdf_pages(replace(BAM, summary=summary)))
    assert "VAT on top 6%" in text
    assert "−0.62" in text
    assert "11.01" in text


def test_pdf_keeps_its_columns_for_the_longest_codes_names_and_references() -> None:
    statement = full()
    code, name = "SYSTEM-" + "X" * 57, "示例超长名称" * 30
    rows = tuple(
        replace(row, code=code, name_zh=name, receivable_minor=9 * 10**14)
        for row in statement.counterparties
    )
    moved = tuple(replace(row, reference="9" * 64) for row in statement.movements)
    adjusted = tuple(replace(row, reference="R" * 64) for row in statement.adjustments)
    long = replace(statement, counterparties=rows, movements=moved, adjustments=adjusted)
    pages = pdf_pages(long)
    assert len(pages) == 3
    assert "9,000,000,000,000.00" in "".join(pages)
    assert "9" * 64 in "".join("".join(pages).replace("\u200b", "").split())


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
