"""Disputes in the console: opened from a line with evidence, answered, escalated, and seen by their parties alone."""

import zlib
from io import BytesIO
from typing import Any

from settlement.stored_lines import Filters, lines_page
from tests.operations.parties import party
from tests.web.settled import OCTOBER
from tests.web.site import Browser, Site
from web.frame.staff import Role

LINES = "/console/statements/2026-10/lines"
DISPUTES = "/console/disputes"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def line_used(site: Site, code: str) -> int:
    """The line of the points of AUR that were used at CLD, on the statement of one of the two."""
    lines = lines_page(site.context, party(site.alliance, code), OCTOBER, Filters(), 0, 500).lines
    return int(
        next(row.line_no for row in lines if row.txn_ref == "3" and row.issuer_system == "AUR")
    )


def form(**given: Any) -> dict[str, Any]:
    return {"reason": "amount_wrong", "amount": "12.00", "text": "示例：金额不符", **given}


def opened(site: Site, **given: Any) -> str:
    """Open a dispute as AUR; the address of its page."""
    browser = site.staff("AUR", Role.FINANCE)
    browser.post(f"{LINES}/{line_used(site, 'AUR')}/dispute", form(**given))
    assert browser.location.startswith(f"{DISPUTES}/dsp_"), browser.words()
    return browser.location


def complaint(browser: Browser) -> str:
    assert browser.status == 422
    return browser.words("//*[contains(@class, 'wrong')] | //*[@role='alert']")


def test_a_line_is_disputed_with_evidence_and_answered(settled: Site) -> None:
    browser = settled.staff("AUR", Role.FINANCE)
    browser.get(f"{LINES}/{line_used(settled, 'AUR')}")
    start = browser.page.xpath("//section[@aria-labelledby='later']//a[@class='button']/@href")[0]
    assert browser.get(start).status == 200
    # What is about the host's fee is not the issuer's to dispute.
    assert not browser.page.xpath("//input[@value='fee_wrong']")
    browser.post(start, form(files=(BytesIO(PDF), "凭证 1.pdf"), text="第一行\n第二行"))
    page = browser.location
    browser.get(page)
    assert "12.00" in browser.words("//section[@aria-labelledby='claim']")
    assert "第一行 第二行" in browser.words("//section[@aria-labelledby='steps']")
    evidence = browser.page.xpath("//section[@aria-labelledby='evidence']//tbody//a/@href")[0]
    assert not browser.page.xpath("//section[@aria-labelledby='answer']")

    other = settled.staff("CLD", Role.FINANCE).get("/console/")
    assert page in other.page.xpath("//section[@aria-labelledby='waiting']//a/@href")
    assert other.get(evidence).answer is not None
    assert other.answer is not None
    assert other.answer.data == PDF
    assert other.headers["Content-Type"] == "application/octet-stream"
    assert "attachment" in other.headers["Content-Disposition"]
    assert "sandbox" in other.headers["Content-Security-Policy"]
    other.get(page)
    assert other.page.xpath("//section[@aria-labelledby='answer']")
    answer = {"answer": "accept", "text": "同意", "sure": ""}
    assert "请确认" in complaint(other.post(f"{page}/answer", answer))
    # What was typed is still there.
    assert other.page.xpath("//input[@value='accept'][@checked]")
    assert other.page.xpath("string(//section[@aria-labelledby='answer']//textarea)") == "同意"
    assert other.post(f"{page}/answer", {**answer, "sure": "yes"}).location == page
    assert "已支持" in other.get(page).words("//h1/following-sibling::p")
    posted = settled.alliance.rows(
        "SELECT sum(amount_minor), count(*) FROM adjustments WHERE counterparty IS NOT NULL"
    )
    assert posted[0][0] == 0
    # It stands on the line from now on.
    line = settled.staff("AUR", Role.VIEWER).get(f"{LINES}/{line_used(settled, 'AUR')}")
    assert page in line.page.xpath("//section[@aria-labelledby='later']//a/@href")
    assert "12.00" in line.words("//section[@aria-labelledby='later']")


def test_evidence_is_checked_by_content_and_size_before_anything_is_done(settled: Site) -> None:
    browser = settled.staff("AUR", Role.FINANCE)
    path = f"{LINES}/{line_used(settled, 'AUR')}/dispute"
    large = b"a,b\n" * (5 << 18)
    for content, name in (
        (b"MZ\x90\x00", "run.exe"),
        (b"<html><script>", "page.pdf"),
        (b"<html>", "page.txt"),
        (zlib.compress(b"x"), "picture.png"),
        (b"", "empty.pdf"),
        (large + b"x", "large.csv"),
    ):
        told = complaint(browser.post(path, form(files=(BytesIO(content), name))))
        assert name in told, told
        assert browser.page.xpath("//input[@value='amount_wrong'][@checked]")
        assert browser.page.xpath("//input[@name='amount'][@value='12.00']")
    many = [(BytesIO(PDF + bytes([48 + n])), f"{n}.pdf") for n in range(4)]
    assert "3" in complaint(browser.post(path, form(files=many)))
    assert browser.post(path, form(files=(BytesIO(large * 4), "huge.csv"))).status == 413
    assert settled.alliance.value("SELECT count(*) FROM disputes") == 0
    fine = [
        (BytesIO(large[: 5 << 20]), "a.csv"),
        (BytesIO(PDF), "b.pdf"),
        (BytesIO(b"text"), "c.txt"),
    ]
    browser.post(path, form(files=fine))
    assert browser.status == 302
    assert settled.alliance.value("SELECT count(*) FROM dispute_evidence") == 3
    browser.post(f"{browser.location}/evidence", {"files": (BytesIO(b"<html>"), "x.txt")})
    assert "x.txt" in complaint(browser)


def test_a_claim_that_can_not_be_is_told_beside_its_field(settled: Site) -> None:
    browser = settled.staff("AUR", Role.FINANCE)
    path = f"{LINES}/{line_used(settled, 'AUR')}/dispute"
    for given in (
        {"reason": "nonsense"},
        {"amount": "zwölf"},
        {"amount": "0"},
        {"amount": "1.234"},
        {"amount": "-5"},
        {"text": " \n "},
        {"text": "x" * 2001},
        {"amount": "99.00"},
        {"reason": "fee_wrong"},
    ):
        assert complaint(browser.post(path, form(**given))), given
    assert settled.alliance.value("SELECT count(*) FROM disputes") == 0
    assert browser.post(path, form(amount="￥ 12.00")).status == 302
    # Again is the same dispute.
    first = browser.location
    assert browser.post(path, form()).location == first


def test_roles_look_or_act(settled: Site) -> None:
    page = opened(settled)
    viewer = settled.staff("AUR", Role.VIEWER)
    number = line_used(settled, "AUR")
    assert viewer.get(page).status == 200
    assert not viewer.page.xpath("//main//form")
    viewer.get(f"{LINES}/{number}")
    assert not viewer.page.xpath(
        "//main//a[substring(@href, string-length(@href) - 7) = '/dispute']"
    )
    assert viewer.get(f"{LINES}/{number}/dispute").status == 403
    for path in (
        f"{LINES}/{number}/dispute",
        f"{page}/answer",
        f"{page}/escalate",
        f"{page}/evidence",
    ):
        assert viewer.post(path, form()).status == 403, path
    # Who opened a claim does not answer it.
    opener = settled.staff("AUR", Role.ADMIN)
    assert opener.post(f"{page}/answer", {"answer": "contest", "text": "x"}).status == 422
    assert opener.post(f"{page}/escalate", {"text": "x", "sure": "yes"}).status == 422


def test_a_form_without_its_token_does_nothing(settled: Site) -> None:
    browser = settled.staff("AUR", Role.FINANCE)
    path = f"{LINES}/{line_used(settled, 'AUR')}/dispute"
    assert browser.post(path, form(), csrf=False).status == 400
    assert settled.alliance.value("SELECT count(*) FROM disputes") == 0


def test_nobody_elses_disputes_are_there(settled: Site) -> None:
    page = opened(settled, files=(BytesIO(PDF), "a.pdf"))
    owner = settled.staff("AUR", Role.VIEWER).get(page)
    evidence = owner.page.xpath("//section[@aria-labelledby='evidence']//tbody//a/@href")[0]
    stranger = settled.staff("BAM", Role.ADMIN)
    for path in (page, evidence, page.upper(), f"{DISPUTES}/dsp_{'0' * 32}", f"{DISPUTES}/x"):
        assert stranger.get(path).status == 404, path
    for step in ("answer", "escalate", "evidence"):
        assert (
            stranger.post(f"{page}/{step}", {"answer": "accept", "text": "x", "sure": "yes"}).status
            == 404
        )
    assert page not in stranger.get(DISPUTES).text
    assert owner.get(evidence.rpartition("_")[0] + "_" + "0" * 32).status == 404


def test_disputes_are_listed_by_state_and_side(settled: Site) -> None:
    page = opened(settled)
    aur, cld = settled.staff("AUR", Role.VIEWER), settled.staff("CLD", Role.VIEWER)
    for browser, query, there in (
        (aur, "", True),
        (aur, "?side=opened", True),
        (aur, "?side=answer", False),
        (cld, "?side=answer&state=open", True),
        (cld, "?side=opened", False),
        (cld, "?state=upheld", False),
        (cld, "?state=nonsense&side=nonsense", True),
    ):
        browser.get(f"{DISPUTES}{query}")
        assert browser.status == 200
        assert (page in browser.page.xpath("//tbody//a/@href")) == there, query
        assert bool(browser.page.xpath("//*[@class='empty']")) != there


def test_a_contested_claim_waits_for_the_clearing_house(settled: Site) -> None:
    page = opened(settled)
    other = settled.staff("CLD", Role.ADMIN)
    assert "请选择" in complaint(other.post(f"{page}/answer", {"text": "x"}))
    assert other.post(f"{page}/answer", {"answer": "contest", "text": "不同意"}).location == page
    assert "待裁定" in other.get(page).words("//h1/following-sibling::p")
    assert "反对" in other.words("//section[@aria-labelledby='steps']")
    assert not other.page.xpath("//section[@aria-labelledby='answer']")
    assert not other.page.xpath("//section[@aria-labelledby='escalate']")


def test_a_fee_is_disputed_with_the_clearing_house(settled: Site) -> None:
    browser = settled.staff("CLD", Role.FINANCE)
    path = f"{LINES}/{line_used(settled, 'CLD')}/dispute"
    browser.get(path)
    assert browser.page.xpath("//input[@value='fee_wrong']")
    browser.post(path, form(reason="fee_wrong", amount=""))
    browser.follow()
    claim = browser.words("//section[@aria-labelledby='claim']")
    assert "清算所" in claim
    assert "0.24" in claim
    own = next(
        row.line_no
        for row in lines_page(
            settled.context, party(settled.alliance, "AUR"), OCTOBER, Filters(), 0, 500
        ).lines
        if not row.is_cross_system
    )
    # Inside one system there is nothing to dispute, and nobody to dispute it with.
    assert settled.staff("AUR", Role.FINANCE).get(f"{LINES}/{own}/dispute").status == 404


def test_a_dispute_leads_to_its_line_among_several_of_one_transaction(settled: Site) -> None:
    lines = lines_page(
        settled.context, party(settled.alliance, "CLD"), OCTOBER, Filters(), 0, 500
    ).lines
    browser = settled.staff("CLD", Role.FINANCE)
    for line in (row for row in lines if row.txn_ref == "3" and row.issuer_system != "BAM"):
        path = f"{LINES}/{line.line_no}"
        browser.post(f"{path}/dispute", form(amount="1")).follow()
        there = browser.page.xpath("//section[@aria-labelledby='claim']//a/@href")[0]
        assert browser.get(there).location == path
        assert not browser.get(path).page.xpath("//a[@class='button']")
    used = [row for row in lines if row.txn_ref == "3"]
    txn = f"/console/statements/2026-10/transactions/{used[0].txn_id}"
    for leg, line in enumerate(used, start=1):
        assert browser.get(f"{txn}?leg={leg}").location == f"{LINES}/{line.line_no}"
    assert browser.get(f"{txn}?leg=3").status == 404
