"""A member's bank account and net debit cap at the desk: one sign-in proposes, another confirms."""

from dataclasses import replace

import pytest

from clearinghouse.operations import govern
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.revising import revise
from clearinghouse.operations.users import deactivate_user
from clearinghouse.store.vault import Vault
from tests.web.site import Browser, Site
from web.frame.staff import Role

ACCOUNT = "6222000047109099999"


@pytest.fixture
def finance(site: Site) -> Browser:
    return site.staff(None, Role.FINANCE, "operator.one")


@pytest.fixture
def second(site: Site) -> Browser:
    return site.staff(None, Role.ADMIN, "operator.two")


def change(browser: Browser, **typed: str) -> Browser:
    """Send AUR's form as it is on the page, with some fields typed anew."""
    page = browser.get("/desk/members/AUR/change").page
    (form,) = page.xpath("//main//form")
    shown = {name: value for name, value in form.form_values() if name != "csrf_token"}
    return browser.post("/desk/members/AUR/change", {**shown, "reason": "letter 9", **typed})


def stored(site: Site) -> tuple[str, str, int | None]:
    found: tuple[str, str, int | None] = site.alliance.rows(
        "SELECT name_en, bank_account, net_debit_cap_minor FROM systems WHERE code = 'AUR'"
    )[0]
    return found


def newest(site: Site) -> str:
    """The address of the newest proposal."""
    return f"/desk/proposals/{site.alliance.value('SELECT max(number) FROM proposals')}"


def test_an_account_and_a_cap_take_two_people(
    site: Site, finance: Browser, second: Browser
) -> None:
    before = stored(site)
    change(finance, name_en="Aurum Group", bank_account=ACCOUNT, cap="1234.5").follow()
    told = "等另一位同事复核"
    assert told in finance.words()
    assert "资料已更改" in finance.words()
    assert stored(site) == ("Aurum Group", *before[1:])
    for browser, path in ((finance, "/desk/members/AUR"), (second, "/desk/proposals/")):
        words = browser.get(path).words()
        assert "更改银行账户或净欠上限" in words
        assert "…7253 → …9999" in words
        assert "未设 → 1,234.50" in words
        assert ACCOUNT not in browser.text
    assert "再次输入新的银行账户" in second.words()
    assert "再次输入" not in finance.words()

    typed = {"bank_account_again": ACCOUNT}
    own = finance.post(f"{newest(site)}/confirm", typed).follow()
    assert "another person than the one who has proposed it" in own.words("//div[@role='alert']")
    slip = second.post(f"{newest(site)}/confirm", {"bank_account_again": "6222"}).follow()
    assert "not the one that was proposed" in slip.words("//div[@role='alert']")
    assert stored(site)[1:] == before[1:]
    second.post(f"{newest(site)}/confirm", typed).follow()
    assert "已执行" in second.words()
    assert stored(site) == ("Aurum Group", ACCOUNT, 123_450)
    actor, subject, details = site.alliance.rows(
        "SELECT actor, subject, details FROM audit_log WHERE action = 'system.change'"
        " ORDER BY number DESC LIMIT 1"
    )[0]
    assert (actor, details["approved_by"]) == (finance.login, second.login)
    assert (subject, details["after"]) == (
        "system AUR", {"bank_account": "…9999", "net_debit_cap_minor": 123_450},
    )  # fmt: skip
    for path in ("/desk/members/AUR", "/desk/proposals/", "/desk/", "/desk/members/AUR/change"):
        assert ACCOUNT not in second.get(path).text
    kept = site.alliance.value(
        "SELECT (SELECT json_agg(p)::text FROM proposals p) || (SELECT json_agg(a)::text FROM audit_log a)"
    )
    assert ACCOUNT not in kept


def test_a_cap_is_proposed_alone_in_either_language(
    site: Site, finance: Browser, second: Browser
) -> None:
    change(finance, cap="500")
    form = finance.get("/desk/members/AUR/change", accept_language="en").words()
    assert "takes effect once a colleague confirms it" in form
    english = finance.get("/desk/members/AUR", accept_language="en").words()
    assert "Change a bank account or net debit cap" in english
    assert "Not set → 500.00" in english
    assert "再次输入" not in second.get("/desk/proposals/").words()
    again = change(finance, cap="600")
    assert "confirm or withdraw that first" in again.words("//div[@role='alert']")
    second.post(f"{newest(site)}/confirm").follow()
    assert stored(site)[2] == 50_000


def test_what_changed_meanwhile_is_not_replaced(
    site: Site, finance: Browser, second: Browser
) -> None:
    change(finance, cap="500")
    two = Authority("letter", "by command", "somebody else")
    govern.change_system(site.context, "AUR", {"net_debit_cap_minor": 7}, two)
    second.post(f"{newest(site)}/confirm").follow()
    assert "has changed since this was proposed" in second.words("//div[@role='alert']")
    assert stored(site)[2] == 7
    assert "待复核" in second.words()


def test_who_is_gone_has_nothing_confirmed(site: Site, finance: Browser, second: Browser) -> None:
    change(finance, cap="500")
    deactivate_user(site.context, None, finance.user, Authority("tests", "has left"))
    second.post(f"{newest(site)}/confirm").follow()
    assert "who has proposed it, is deactivated" in second.words("//div[@role='alert']")
    assert stored(site)[2] is None
    second.post(f"{newest(site)}/withdraw").follow()
    assert "已撤回" in second.words()


def test_what_was_sealed_under_another_master_key_is_told_and_taken_back(
    site: Site, finance: Browser, second: Browser
) -> None:
    before = replace(site.context, vault=Vault(b"the key of yesterday".ljust(32)))
    revise(before, "AUR", {"bank_account": ACCOUNT}, Authority(finance.login, "letter 9"))
    typed = {"bank_account_again": ACCOUNT}
    second.post(f"{newest(site)}/confirm", typed).follow()
    assert "withdraw it and propose it anew" in second.words("//div[@role='alert']")
    second.post(f"{newest(site)}/withdraw").follow()
    assert "已撤回" in second.words()
    change(finance, bank_account=ACCOUNT)
    second.post(f"{newest(site)}/confirm", typed).follow()
    assert "已执行" in second.words()
    assert stored(site)[1] == ACCOUNT


def test_a_viewer_and_a_form_of_elsewhere_confirm_nothing(
    site: Site, finance: Browser, second: Browser
) -> None:
    change(finance, cap="500")
    viewer = site.staff(None, Role.VIEWER)
    assert "再次输入" not in viewer.get("/desk/members/AUR").words()
    assert viewer.page.xpath("//main//form") == []
    assert viewer.post(f"{newest(site)}/confirm").status == 403
    assert viewer.post("/desk/members/AUR/change", {"cap": "1", "reason": "r"}).status == 403
    assert second.post(f"{newest(site)}/confirm", csrf=False).status == 400
    assert stored(site)[2] is None
