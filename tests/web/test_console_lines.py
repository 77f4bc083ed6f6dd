"""Lines of statements in the console: every one once and in order, what explains it, and nobody else's."""

from itertools import pairwise

import pytest

from settlement.statements.statement import StatementLine
from settlement.stored_lines import Filters, lines_page
from tests.operations.parties import party
from tests.web.settled import OCTOBER
from tests.web.site import Browser, Site
from web.console import lines as pages
from web.frame.staff import Role

LINES = "/console/statements/2026-10/lines"


def published(site: Site, code: str) -> tuple[StatementLine, ...]:
    return lines_page(site.context, party(site.alliance, code), OCTOBER, Filters(), 0, 500).lines


def numbers(browser: Browser, path: str) -> list[int]:
    """The numbers of all lines, from page to page."""
    found: list[int] = []
    browser.get(path)
    for _ in range(100):
        assert browser.status == 200, browser.words()
        found += [int(a.text) for a in browser.page.xpath("//table//tbody/tr/td[1]/a")]
        onward = browser.page.xpath("//a[@rel='next']/@href")
        if not onward:
            return found
        browser.get(onward[0])
    raise AssertionError("the pages have no end")


def test_every_line_is_there_once_and_in_order(
    settled: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = published(settled, "CLD")
    browser = settled.staff("CLD", Role.VIEWER)
    for size in (1, 3, 50):
        monkeypatch.setattr(pages, "_LINES_A_PAGE", size)
        assert numbers(browser, LINES) == [line.line_no for line in lines]
    assert len(lines) >= 4
    monkeypatch.setattr(pages, "_LINES_A_PAGE", 2)
    for query, wanted in {
        "kind=redeem": [line for line in lines if line.kind == "redeem"],
        "kind=refund&scope=cross": [line for line in lines if line.kind == "refund"],
        "scope=own": [line for line in lines if not line.is_cross_system],
        "system=bam": [line for line in lines if line.counterparty_system == "BAM"],
        "hotel=AUR-SH": [
            line for line in lines if "AUR-SH" in (line.host_hotel, line.issuer_hotel)
        ],
        "fee=yes": [line for line in lines if line.fee_minor],
        "since=2026-10-05": [line for line in lines if str(line.business_date) >= "2026-10-05"],
        "until=2026-10-05": [line for line in lines if str(line.business_date) <= "2026-10-05"],
        "ref=3": [line for line in lines if line.txn_ref == "3"],
        "ref=nothing": [],
        "line=3": [line for line in lines if line.line_no >= 3],
    }.items():
        found = numbers(browser, f"{LINES}?{query}")
        assert found == [line.line_no for line in wanted], query
        assert all(one < other for one, other in pairwise(found))


def test_what_can_not_be_asked_is_said_beside_its_field(settled: Site) -> None:
    browser = settled.staff("CLD", Role.VIEWER)
    for query in (
        "since=yesterday",
        "line=0",
        "line=x",
        "hotel=" + "x" * 65,
        "since=2026-10-09&until=2026-10-01",
    ):
        browser.get(f"{LINES}?{query}")
        assert browser.status == 200
        assert browser.page.xpath("//input[@aria-invalid='true']"), query
        assert not browser.page.xpath("//tbody/tr")
    assert browser.get(f"{LINES}?after=nonsense").status == 400
    assert browser.get(f"{LINES}?line=999999999").status == 200


def test_a_line_says_why_its_fee_is_what_it_is(settled: Site) -> None:
    lines = published(settled, "CLD")
    browser = settled.staff("CLD", Role.VIEWER)
    across = next(line for line in lines if line.txn_ref == "3" and line.issuer_system == "AUR")
    why = browser.get(f"{LINES}/{across.line_no}").words("//section[@aria-labelledby='why']")
    # 1,200 points are worth 12.00, of which 2 % are 0.24.
    assert "1,200 分 × 1.00 元 / 100 分 = 12.00 元" in why
    assert "12.00 元 × 2% = 0.24 元 → 0.24 元" in why
    assert "联盟规则 v1 fees.redeem" in why
    assert "AUR" in why
    assert "CLD" in why
    later = browser.words("//section[@aria-labelledby='later']")
    assert "没有退款、争议或调整" in later
    other = next(line for line in lines if line.txn_ref == "3" and line.issuer_system == "BAM")
    later = browser.get(f"{LINES}/{other.line_no}").words("//section[@aria-labelledby='later']")
    assert "−5.00" in later
    assert "−3.00" in later
    assert "这一行还剩 0.00 元" in later
    refund = next(line for line in lines if line.kind == "refund")
    browser.get(f"{LINES}/{refund.line_no}")
    assert "只记差额" in browser.words("//section[@aria-labelledby='why']")
    back = browser.page.xpath("//section[@aria-labelledby='later']/p/a/@href")[0]
    browser.get(back).follow()
    assert browser.words("//h1").endswith(f"第 {other.line_no} 行")


def test_rounding_is_shown(settled: Site) -> None:
    lines = published(settled, "BAM")
    cash = next(line for line in lines if line.txn_ref == "2")
    browser = settled.staff("BAM", Role.VIEWER).get(f"{LINES}/{cash.line_no}")
    why = browser.words("//section[@aria-labelledby='why']")
    assert "888.88 元 × 1% = 8.8888 元 → 8.89 元" in why
    own = next(line for line in published(settled, "AUR") if not line.is_cross_system)
    browser = settled.staff("AUR", Role.VIEWER).get(f"{LINES}/{own.line_no}")
    assert "own_system" in browser.words("//section[@aria-labelledby='why']")


def test_an_issuer_learns_what_was_used_and_no_fee_of_the_host(settled: Site) -> None:
    lines = published(settled, "AUR")
    used = next(line for line in lines if line.txn_ref == "3")
    browser = settled.staff("AUR", Role.VIEWER).get(f"{LINES}/{used.line_no}")
    assert "贵方不付" in browser.words("//section[@aria-labelledby='why']")
    assert "0.24" not in browser.words("//main")
    assert "627781" not in browser.text


def test_nobody_elses_lines_are_there(settled: Site) -> None:
    aurs = len(published(settled, "AUR"))
    browser = settled.staff("AUR", Role.ADMIN)
    for path in ("0", str(aurs + 1), "99999999999999999999999999"):
        assert browser.get(f"{LINES}/{path}").status == 404
    spent = settled.alliance.value("SELECT txn_id FROM transactions WHERE txn_ref = '11'")
    there = f"/console/statements/2026-10/transactions/txn_{spent.hex}"
    assert settled.staff("CLD", Role.VIEWER).get(there).status == 302
    assert browser.get(there).status == 404
    assert numbers(browser, f"{LINES}?ref=11") == []
    for path in (
        "transactions/txn_x",
        "transactions/dsp_" + "0" * 32,
        "transactions/txn_" + "0" * 32,
    ):
        assert browser.get(f"/console/statements/2026-10/{path}").status == 404
    for month in ("2026-12", "2030-01", "2026-13", "x"):
        assert browser.get(f"/console/statements/{month}/lines").status == 404
        assert browser.get(f"/console/statements/{month}").status == 404
