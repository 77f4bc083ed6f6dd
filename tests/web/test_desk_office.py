"""The desk's keys, clients and health: who looks, who acts, and what is shown once."""

from clearinghouse.operations.clients import list_clients, prove_by_secret
from clearinghouse.operations.health import note_check
from clearinghouse.operations.signing_keys import TOKENS, all_keys
from tests.web.signing import actions
from tests.web.site import Browser, Site
from web.frame.staff import Role

SURE = {"reason": "示例原因", "sure": "1"}


def secrets(browser: Browser) -> list[str]:
    return [code.text_content() for code in browser.page.xpath('//code[@class="secret"]')]


def test_who_looks_and_who_acts(site: Site) -> None:
    for role in (Role.VIEWER, Role.FINANCE):
        browser = site.staff(None, role)
        for path in ("/desk/keys", "/desk/clients", "/desk/health"):
            assert browser.get(path).follow().status == 200, path
            assert not browser.page.xpath("//main//form[@method='post']")
        for path in ("/desk/keys/rotate/token", "/desk/clients/new"):
            assert browser.get(path).status == 403, path
            assert browser.post(path, SURE).status == 403, path
    member = site.staff("AUR", Role.ADMIN)
    for path in ("/desk/keys/", "/desk/clients/", "/desk/health/"):
        assert member.get(path).location.startswith("/desk/sign-in")


def test_a_client_is_made_shown_once_rotated_and_revoked(site: Site) -> None:
    admin = site.staff(None, Role.ADMIN, "chief")
    form = {
        "system": "AUR",
        "name": "示例收银",
        "hotels": "AUR-BJ，AUR-SH",
        "scope": ["cards:read"],
        **SURE,
    }
    admin.post("/desk/clients/new", form)
    client_id, secret = secrets(admin)
    stored = prove_by_secret(site.context, client_id, secret)
    assert stored.scopes == {"cards:read"}
    assert stored.hotels is not None
    assert len(stored.hotels) == 2
    assert secret not in admin.get(f"/desk/clients/{client_id}").text
    assert "示例收银" in admin.get("/desk/clients/?system=AUR").words()
    assert "示例收银" not in admin.get("/desk/clients/?system=BAM").words("//table")
    admin.post(f"/desk/clients/{client_id}/rotate", {"overlap": "0", **SURE})
    _same, second = secrets(admin)
    prove_by_secret(site.context, client_id, second)
    assert admin.post(f"/desk/clients/{client_id}/revoke", SURE).follow().status == 200
    (row,) = list_clients(site.context)
    assert row.revoked_at
    assert actions(site, "client.") == [
        ("chief", "client.create"),
        ("chief", "client.rotate"),
        ("chief", "client.revoke"),
    ]


def test_what_is_wrong_with_a_client_is_told_and_kept(site: Site) -> None:
    admin = site.staff(None, Role.ADMIN)
    form = {"system": "AUR", "name": "示例收银", "hotels": "BAM-HZ", **SURE}
    assert admin.post("/desk/clients/new", form).status == 422
    assert "no hotel" in admin.words()
    assert admin.page.xpath('//input[@name="name"]/@value') == ["示例收银"]
    form = {"system": "AUR", "name": "示例收银", "hotels": "", "reason": ""}
    assert admin.post("/desk/clients/new", form).status == 422
    assert list_clients(site.context) == []
    assert admin.get("/desk/clients/client_unknown").status == 404
    assert admin.post("/desk/clients/client_unknown/revoke", SURE).status == 404


def test_keys_are_rotated_and_withdrawn(site: Site) -> None:
    admin = site.staff(None, Role.ADMIN, "chief")
    assert admin.post("/desk/keys/rotate/token", SURE).follow().status == 200
    (first,) = all_keys(site.context, TOKENS)
    assert admin.post("/desk/keys/rotate/token", {"reason": "示例"}).status == 422
    admin.post("/desk/keys/rotate/token", SURE)
    assert len(all_keys(site.context, TOKENS)) == 2
    assert admin.get(f"/desk/keys/withdraw/{first.kid}").status == 200
    admin.post(f"/desk/keys/withdraw/{first.kid}", SURE).follow()
    assert "已泄露作废" in admin.words()
    assert admin.get(f"/desk/keys/withdraw/{first.kid}").status == 404
    assert admin.get("/desk/keys/rotate/nothing").status == 404
    assert [action for _, action in actions(site, "keys.")] == [
        "keys.rotate",
        "keys.rotate",
        "keys.withdraw",
    ]


def test_health_tells_of_the_database_and_the_last_check(site: Site) -> None:
    viewer = site.staff(None, Role.VIEWER)
    text = viewer.get("/desk/health/").words()
    assert "PostgreSQL" in text
    assert "尚无记录" in text
    note_check(site.context, "示例甲", 40, ["1.1", "4.2"])
    text = viewer.get("/desk/health/").words()
    assert "2 项不成立" in text
    assert "1.1, 4.2" in text
    note_check(site.context, "示例甲", 40, [])
    assert "全部成立" in viewer.get("/desk/health/").words()
    assert "all hold" in viewer.get("/desk/health/?lang=en").words()
