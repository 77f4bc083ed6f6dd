"""Periods on the desk: the calendar, a month's figures and files, and a run that the page starts."""

from hashlib import sha256

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.close import close
from clearinghouse.store import frozen, periods, runs
from settlement.beside import progress
from settlement.netting import net_period
from settlement.paths import PAYMENTS
from settlement.run import files_of
from tests.waiting import wait_until
from tests.web.site import Site
from web.frame.shared import the_site
from web.frame.staff import Role

OCTOBER = parse_period("2026-10")
GO = {"reason": "month-end", "sure": "on"}


def busy(site: Site) -> None:
    """October, with a line in it, and its cut-off behind us."""
    site.alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    site.alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-04", points=500)
    site.alliance.accept("spend", "AUR-BJ", "3", "T1", "2026-11-10", amount=10_000)


def state(site: Site) -> str | None:
    with site.context.database.office() as session:
        return periods.state_of(session, OCTOBER)


def test_the_calendar_shows_the_days_of_each_month(site: Site) -> None:
    busy(site)
    words = site.staff(None, Role.VIEWER).get("/desk/periods/").words()
    assert "2026年11月 进行中 2026年12月4日 00:00" in words
    # Cut-off three days after the month, and ten days to pay.
    assert "2026年10月 进行中 2026年11月4日 00:00–– 2026年11月14日预计" in words


def test_a_month_that_can_not_be_closed_says_why(site: Site) -> None:
    busy(site)
    finance = site.staff(None, Role.FINANCE)
    words = finance.get("/desk/periods/2026-11").words()
    assert "2026-11 can't be closed while 2026-10 is open" in words
    assert not finance.page.xpath("//main//form")
    refused = finance.post("/desk/periods/2026-11/run", GO).follow()
    assert "没有开始" in refused.words("//div[@role='alert']")
    for path in (
        "/desk/periods/2020-01",
        "/desk/periods/nonsense",
        "/desk/periods/2026-10/files/x",
    ):
        assert finance.get(path).status == 404


def test_a_run_that_the_page_starts_ends_published(site: Site) -> None:
    busy(site)
    finance = site.staff(None, Role.FINANCE)
    page = finance.get("/desk/periods/2026-10")
    assert page.page.xpath("//form[@action='/desk/periods/2026-10/run']")
    unsure = finance.post("/desk/periods/2026-10/run", {"reason": "month-end"}).follow()
    assert "请勾选确认" in unsure.words("//div[@role='alert']")

    finance.post("/desk/periods/2026-10/run", GO)
    assert finance.location == "/desk/periods/2026-10"
    wait_until(lambda: state(site) in ("published", "settled"))
    wait_until(lambda: not progress(site.context, OCTOBER).at_work)
    words = finance.get("/desk/periods/2026-10").words()
    assert "已发布" in words
    assert "manifest.json" in words
    assert not finance.page.xpath("//script[contains(@src, 'desk-run')]")
    found = site.alliance.rows(
        "SELECT actor, details ->> 'reason' FROM audit_log WHERE action = 'period.settle'"
    )
    assert found == [(finance.login, "month-end")]
    again = finance.post("/desk/periods/2026-10/run", GO).follow()
    assert "published already" in again.words("//div[@role='alert']")


def test_what_a_page_shows_is_what_the_books_say(site: Site) -> None:
    busy(site)
    site.alliance.settle("2026-10")
    viewer = site.staff(None, Role.VIEWER)
    page = viewer.get("/desk/periods/2026-10")
    with site.context.database.office() as session:
        rows = frozen.positions(session, OCTOBER)
    totals = [cell.text_content().strip() for cell in page.page.xpath("//tfoot//td")]
    net = sum(row.net_minor for row in rows)
    assert totals[5] == f"−{-net // 100}.{-net % 100:02d}"
    assert "不平" not in page.words()
    assert page.words().count("平") >= 3
    finance = site.staff(None, Role.FINANCE)
    assert PAYMENTS in finance.get("/desk/periods/2026-10").words()
    assert PAYMENTS not in page.words()
    for file in files_of(site.context, OCTOBER):
        path = f"/desk/periods/2026-10/files/{file.path}"
        answer = finance.http.get(path, base_url=site.public_url)
        assert sha256(answer.data).hexdigest() == file.sha256, file.path
        signature = finance.http.get(f"{path}.sig", base_url=site.public_url)
        assert signature.status_code == 200
        assert signature.data
        # It has the accounts of all members whole, which a viewer sees masked.
        for asked in (path, f"{path}.sig"):
            refused = viewer.http.get(asked, base_url=site.public_url)
            assert refused.status_code == (403 if file.path == PAYMENTS else 200)
    assert site.alliance.value("SELECT count(*) FROM audit_log WHERE action = 'period.download'")


def test_a_run_that_stopped_says_why_and_is_resumed(site: Site) -> None:
    busy(site)
    close(site.context, OCTOBER)
    net_period(site.context, OCTOBER)
    with site.context.database.office() as session:
        runs.record_failure(session, OCTOBER, site.context.clock(), "the disk is full")
    finance = site.staff(None, Role.FINANCE)
    words = finance.get("/desk/periods/2026-10").words()
    assert "the disk is full" in words
    assert "继续月结" in words
    home = finance.get("/desk/").words()
    assert "2026年10月 月结停止了" in home
    assert "the disk is full" in home
    finance.post("/desk/periods/2026-10/run", GO)
    wait_until(lambda: state(site) in ("published", "settled"))
    wait_until(lambda: not progress(site.context, OCTOBER).at_work)
    assert "the disk is full" not in finance.get("/desk/periods/2026-10").words()


def test_a_run_under_way_is_followed(site: Site) -> None:
    """Somebody else holds the run's lock: the page says so, follows, and starts no second one."""
    busy(site)
    finance = site.staff(None, Role.FINANCE)
    with site.context.database.office() as session:
        assert runs.hold_run(session, wait=False)
        page = finance.get("/desk/periods/2026-10")
        assert page.page.xpath("//div[@data-follow='/desk/periods/2026-10/run']")
        assert page.page.xpath("//noscript/meta[@http-equiv='refresh']")
        part = finance.get("/desk/periods/2026-10/run")
        assert "<html" not in part.text
        assert "正在进行" in part.text
        refused = finance.post("/desk/periods/2026-10/run", GO).follow()
        assert "under way already" in refused.words("//div[@role='alert']")


def test_with_a_broker_the_workers_are_asked(site: Site) -> None:
    busy(site)
    asked: list[int] = []
    finance = site.staff(None, Role.FINANCE)
    with site.app.test_request_context():
        object.__setattr__(the_site(), "ask_workers", asked.append)
    finance.post("/desk/periods/2026-10/run", GO)
    assert asked == [OCTOBER]
    assert state(site) == "open"


def test_a_viewer_starts_nothing(site: Site) -> None:
    busy(site)
    viewer = site.staff(None, Role.VIEWER)
    assert viewer.post("/desk/periods/2026-10/run", GO).status == 403
    assert not viewer.get("/desk/periods/2026-10").page.xpath("//main//form")
    assert state(site) == "open"
