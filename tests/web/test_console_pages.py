"""The pages of the finance console: amounts are those of the books, and every page is there for its own people."""

from itertools import product

from clearinghouse.domain.calendar import format_period
from settlement.statements.amounts import shown
from tests.web.settled import NOVEMBER, OCTOBER
from tests.web.site import Site
from web.frame.staff import Role

PAGES = (
    "/console/",
    "/console/statements",
    "/console/statements/2026-10",
    "/console/statements/2026-10/lines",
    "/console/statements/2026-10/lines/1",
    "/console/statements/verifying",
    "/console/payments",
    "/console/disputes",
    "/console/rules",
    "/console/rules/v1",
)


def test_each_page_is_there_in_both_languages_and_not_large(settled: Site) -> None:
    for code in ("AUR", "BAM", "CLD"):
        browser = settled.staff(code, Role.VIEWER)
        for path in PAGES:
            for language in ("zh", "en"):
                browser.get(path, accept_language=language)
                assert browser.status == 200, (code, path, browser.text[-2000:])
                assert len(browser.text.encode()) < 150_000
                assert len(browser.page.xpath("//h1")) == 1
                assert not browser.page.xpath("//*[@style] | //script[not(@src)] | //style")


def test_strangers_see_none_of_them(settled: Site) -> None:
    for path in PAGES:
        stranger = settled.stranger().get(path)
        assert stranger.location.startswith("/console/sign-in"), path
    assert settled.staff(None, Role.ADMIN).get("/console/").status == 302


def test_an_alliance_without_any_business_has_pages_that_say_so(site: Site) -> None:
    browser = site.staff("AUR", Role.ADMIN)
    for path in ("/console/", "/console/statements", "/console/payments", "/console/disputes"):
        assert browser.get(path).status == 200, path
        assert browser.page.xpath("//*[@class='empty']"), path
    for path in ("", "/lines", "/lines/1", "/files/pdf", "/files/pdf.sig"):
        assert browser.get(f"/console/statements/2026-10{path}").status == 404, path


def test_a_statement_foots_and_is_that_of_the_books(settled: Site) -> None:
    for code, period in product(("AUR", "BAM", "CLD"), (OCTOBER, NOVEMBER)):
        browser = settled.staff(code, Role.VIEWER)
        browser.get(f"/console/statements/{format_period(period)}")
        rows = browser.page.xpath("//section[@aria-labelledby='sum']//tbody/tr/td[last()]")
        opening, receivable, payable, fees, adjusted, net, paid, closing = (
            _fen(cell.text_content()) for cell in rows
        )
        assert opening + receivable - payable - fees + adjusted == net + opening
        assert opening + net - paid == closing
        books = settled.alliance.rows(
            "SELECT receivable_minor, payable_minor, fees_minor, adjustments_minor, net_minor FROM positions p"
            " JOIN systems s ON s.number = p.system WHERE s.code = %s AND period = %s",
            code,
            period,
        )
        assert books == [(receivable, payable, fees, adjusted, net)]
        others = browser.page.xpath("//section[@aria-labelledby='others']//tfoot//td")
        if others:
            assert _fen(others[1].text_content()) == receivable
            assert _fen(others[3].text_content()) == payable
        activity = browser.page.xpath("//section[@aria-labelledby='activity']//tfoot//td")
        assert _fen(activity[2].text_content()) == fees


def test_the_first_page_says_where_a_system_stands(settled: Site) -> None:
    browser = settled.staff("CLD", Role.VIEWER).get("/console/")
    # Points for 1.00 were used at CLD in December, of which it pays 2 %.
    figures = [
        found.text
        for found in browser.page.xpath("//dl[@class='figures']//*[starts-with(@class, 'amount')]")
    ]
    assert figures == ["1.00", "0.00", "0.02", "+0.98"]
    # The last month was published without a line of its own system.
    assert "2026年11月" in browser.words("//section[@aria-labelledby='last']")
    table = browser.page.xpath("//section[@aria-labelledby='year']//tbody/tr")
    nets = settled.alliance.rows(
        "SELECT net_minor FROM positions p JOIN systems s ON s.number = p.system WHERE s.code = 'CLD'"
        " ORDER BY period DESC"
    )
    assert [_fen(row.xpath("td[last()]")[0].text_content()) for row in table] == [
        n for (n,) in nets
    ]
    assert len(browser.page.xpath("//*[local-name()='svg']")) == 2


def test_what_is_due_is_told_with_its_day(settled: Site) -> None:
    owed = settled.alliance.rows(
        "SELECT s.code, i.amount_minor - i.confirmed_minor, i.direction, i.reference FROM payment_instructions i"
        " JOIN systems s ON s.number = i.system WHERE i.state <> 'confirmed'"
    )
    assert len(owed) > 2
    for code, amount, direction, reference in owed:
        browser = settled.staff(code, Role.FINANCE).get("/console/payments")
        words = browser.words("//section[@aria-labelledby='open']")
        assert shown(amount) in words
        assert reference in words
        told = browser.words("//section[@aria-labelledby='account']")
        assert (reference in told) == (direction == "in")
        due = (
            settled.staff(code, Role.FINANCE)
            .get("/console/")
            .words("//section[@aria-labelledby='due']")
        )
        assert shown(amount) in due
    paid = settled.staff("AUR", Role.FINANCE).get("/console/payments")
    assert "CH-202610-AUR-1" in paid.words("//section[@aria-labelledby='done']")
    assert "CH-202610-AUR-1" in paid.words("//section[@aria-labelledby='bank']")
    assert "CH-202610-AUR-1" not in settled.staff("BAM", Role.FINANCE).get("/console/payments").text


def test_a_share_of_own_activity_costs_nothing(settled: Site) -> None:
    settled.alliance.accept("spend", "AUR-BJ", "20", "T1", "2026-12-06", amount=1_000)
    settled.alliance.accept("spend", "AUR-BJ", "21", "T2", "2026-12-06", amount=1_000)
    settled.alliance.settle("2026-12")
    browser = settled.staff("AUR", Role.VIEWER).get("/console/")
    assert browser.words("//section[@aria-labelledby='own']").count("50%") == 2
    for code in ("BAM", "CLD"):
        assert settled.staff(code, Role.VIEWER).get("/console/").status == 200


def test_a_cap_that_is_exceeded_is_a_plain_warning(settled: Site) -> None:
    settled.alliance.add(
        {
            "systems.csv": (
                ("AUR", "金酒店", "Aurum", "91310000MA1FL00001", "6222000047109087253", 0, 0),
            )
        }
    )
    browser = settled.staff("AUR", Role.VIEWER).get("/console/")
    assert browser.page.xpath("//*[@role='alert']") == []
    settled.alliance.accept("spend", "AUR-BJ", "31", "T2", "2026-12-06", amount=1_000_000)
    browser = settled.staff("AUR", Role.VIEWER).get("/console/")
    assert "超过限额" in browser.words("//*[@role='alert']")
    browser.get("/console/", accept_language="en")
    assert "more than your limit" in browser.words("//*[@role='alert']")


def test_rulebooks_can_be_read(settled: Site) -> None:
    browser = settled.staff("AUR", Role.VIEWER).get("/console/rules")
    assert "2%" in browser.words("//main")
    assert browser.get("/console/rules/v7").status == 404


def _fen(text: str) -> int:
    plain = "".join(text.split()).replace(",", "").replace("−", "-").replace("+", "")
    whole, _, rest = plain.partition(".")
    return int(f"{whole}{rest}")
