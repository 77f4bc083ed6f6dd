"""Downloads of the console: the very bytes that were signed, one's own alone, and written down."""

from clearinghouse.operations.trail import trail
from settlement.run import read_file
from tests.web.settled import OCTOBER
from tests.web.site import Site
from web.frame.staff import Role

FILES = "/console/statements/2026-10/files"
NAMES = {"pdf": "pdf", "xlsx": "xlsx", "csv": "csv", "json": "json", "camt053": "camt053.xml"}


def test_a_file_is_what_was_published(settled: Site) -> None:
    browser = settled.staff("AUR", Role.VIEWER)
    for name, ending in NAMES.items():
        browser.get(f"{FILES}/{name}")
        path = f"statements/AUR.{ending}"
        assert browser.answer is not None
        assert browser.answer.data == b"".join(read_file(settled.context, OCTOBER, path))
        told = browser.headers["Content-Disposition"]
        assert told == f"attachment; filename=AUR-2026-10.{ending}"
        assert browser.get(f"{FILES}/{name}.sig").text.count(".") == 2
        assert browser.headers["Content-Disposition"].endswith(f"AUR-2026-10.{ending}.sig")


def test_who_has_to_pay_has_a_debit_note(settled: Site) -> None:
    browser = settled.staff("AUR", Role.VIEWER).get(f"{FILES}/debit-note")
    assert browser.answer is not None
    assert browser.answer.data.startswith(b"%PDF-")
    assert browser.get(f"{FILES}/debit-note.sig").status == 200
    assert settled.staff("BAM", Role.ADMIN).get(f"{FILES}/debit-note").status == 404
    assert settled.staff("BAM", Role.ADMIN).get(f"{FILES}/debit-note.sig").status == 404


def test_what_there_is_not_is_not_found(settled: Site) -> None:
    browser = settled.staff("AUR", Role.ADMIN)
    for name in (
        "xml",
        "exe",
        "OPERATOR.csv",
        "manifest.json",
        "..%2FBAM.csv",
        "csv.sig.sig",
        ".sig",
    ):
        assert browser.get(f"{FILES}/{name}").status == 404, name
    assert browser.get("/console/statements/2026-12/files/csv").status == 404


def test_a_download_is_written_down(settled: Site) -> None:
    browser = settled.staff("AUR", Role.VIEWER)
    number = settled.alliance.value("SELECT number FROM systems WHERE code = 'AUR'")
    browser.get(f"{FILES}/xml")
    assert not trail(settled.context, number, 10, action="statement.download")
    browser.get(f"{FILES}/csv")
    (found,) = trail(settled.context, number, 10, action="statement.download")
    assert found.actor == browser.login
    assert found.details["file"] == "csv"


def test_the_page_lists_what_can_be_fetched_and_by_which_key_it_is_signed(settled: Site) -> None:
    browser = settled.staff("AUR", Role.VIEWER).get("/console/statements/2026-10")
    section = "//section[@aria-labelledby='files']"
    links = browser.page.xpath(f"{section}//tbody//a/@href")
    assert len(links) == 12
    said = browser.words(f"{section}//code")
    assert len(said.split()) == 16
    for link in links:
        assert browser.get(link).status == 200, link
    assert said in settled.staff("AUR", Role.VIEWER).get("/console/statements/verifying").words()
