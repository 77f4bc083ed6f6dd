"""The desk's first page: what needs a person today, each a link to where it is done."""

from tests.alliances import RULEBOOK
from tests.web.site import Browser, Site
from web.frame.staff import Role


def listed(browser: Browser) -> dict[str, str]:
    """What is to be done by what it says first, with its address."""
    return {
        " ".join(link.text_content().split()): link.get("href")
        for link in browser.page.xpath("//ul[@class='todo']//a")
    }


def test_members_without_a_cap_are_shown_and_nothing_else_on_a_quiet_day(site: Site) -> None:
    viewer = site.staff(None, Role.VIEWER).get("/desk/")
    assert viewer.status == 200
    assert list(listed(viewer)) == ["未设上限未设净欠上限的成员AUR · BAM · CLD"]
    figures = viewer.words("//dl[@class='figures']")
    assert "成员系统3" in figures
    assert "酒店4" in figures


def test_what_needs_a_person_is_listed_with_its_page(site: Site) -> None:
    alliance = site.alliance
    alliance.accept("spend", "BAM-HZ", "1", "T1", "2026-10-03", amount=88_888)
    alliance.accept("spend", "AUR-BJ", "2", "T1", "2026-11-05", amount=10_000)
    alliance.add({}, {**RULEBOOK, "version": "v2", "effective_from": "2027-01-01"})
    finance = site.staff(None, Role.FINANCE)
    finance.post("/desk/members/new", {"code": "HRN", "name_zh": "鹭酒店", "reason": "applies"})
    finance.post("/desk/members/BAM/suspend", {"reason": "does not pay", "sure": "on"})
    found = listed(finance.get("/desk/"))
    texts = list(found)
    assert texts[0] == "到期2026年10月 可以月结关账时间已过"
    assert found[texts[0]] == "/desk/periods/2026-10"
    assert "待复核1 项操作待复核暂停成员资格" in found
    assert found["申请中待接纳的申请HRN"] == "/desk/members/?state=application"
    english = finance.get("/desk/?lang=en").words()
    assert "October 2026 can be settled" in english


def test_the_last_months_figures_are_those_of_the_books(site: Site) -> None:
    site.alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-10-03", amount=100_000)
    site.alliance.accept("redeem", "CLD-GZ", "2", "T1", "2026-10-04", points=1_000)
    site.alliance.settle("2026-10")
    words = site.staff(None, Role.VIEWER).get("/desk/").words("//dl[@class='figures']")
    # AUR owes CLD 10 yuan; CLD pays a fee of 2 %.
    assert "上期净额收付（元）9.80轧差前往来 10.00" in words
    assert "上期手续费（元）0.20" in words
    assert "上期清算明细22026年10月" in words
