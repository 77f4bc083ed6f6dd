"""Users and the audit trail: each system's administrators have their own people, and nobody else's."""

from clearinghouse.operations.users import list_users
from tests.web.signing import Person, actions, set_up
from tests.web.site import Browser, Site
from web.frame.staff import Role

SURE = {"reason": "示例原因", "sure": "1"}


def facts(browser: Browser) -> list[str]:
    return [code.text_content() for code in browser.page.xpath('//code[@class="secret"]')]


def test_an_administrator_makes_a_user_who_can_sign_in(site: Site) -> None:
    admin = site.staff("AUR", Role.ADMIN, "boss")
    admin.post("/console/users/new", {"name": "Caiwu1", "role": "finance", "reason": "示例"})
    assert admin.status == 200
    login, password = facts(admin)
    assert login == "caiwu1@AUR"
    number = next(u.number for u in list_users(site.context, 1) if u.login == login)
    set_up(Person(site, "console", number, login, password))
    assert password not in admin.get("/console/users").text
    assert "caiwu1@AUR财务 正常" in admin.words("//tbody")
    assert ("boss@AUR", "user.create") in actions(site, "user.")


def test_what_is_wrong_with_a_new_user_is_told(site: Site) -> None:
    admin = site.staff("AUR", Role.ADMIN, "boss")
    for name, role, told in (
        ("boss", "viewer", "已经有这个登录名"),
        ("财务", "viewer", "2 至 32 个"),
        ("a" * 33, "viewer", "2 至 32 个"),
        ("fine", "emperor", "请选择一个角色"),
    ):
        admin.post("/console/users/new", {"name": name, "role": role})
        assert admin.status == 422
        assert told in admin.words(), told
        assert admin.page.xpath('//input[@name="name"]/@value') == [name]


def test_the_same_name_in_two_systems_is_two_users(site: Site) -> None:
    for system in ("AUR", "BAM"):
        admin = site.staff(system, Role.ADMIN)
        admin.post("/console/users/new", {"name": "caiwu1", "role": "viewer"})
        assert facts(admin)[0] == f"caiwu1@{system}"


def test_only_administrators_see_users_and_the_trail(site: Site) -> None:
    for role in (Role.VIEWER, Role.FINANCE):
        browser = site.staff("AUR", role)
        for path in (
            "/console/users",
            "/console/users/new",
            f"/console/users/{browser.user}",
            "/console/audit",
        ):
            assert browser.get(path).status == 403, (role, path)
        assert (
            browser.post(f"/console/users/{browser.user}/role", {**SURE, "role": "admin"}).status
            == 403
        )
    desk = site.staff(None, Role.VIEWER)
    assert desk.get("/desk/users").status == 403
    assert desk.get("/desk/audit").status == 200


def test_another_systems_users_are_not_there(site: Site) -> None:
    theirs = site.staff("BAM", Role.ADMIN, "theirs")
    operators = site.staff(None, Role.ADMIN, "chief")
    admin = site.staff("AUR", Role.ADMIN)
    assert "theirs" not in admin.get("/console/users").text
    for number in (theirs.user, operators.user, 999_999):
        assert admin.get(f"/console/users/{number}").status == 404
        for step in ("role", "reset", "unlock", "deactivate"):
            answer = admin.post(f"/console/users/{number}/{step}", {**SURE, "role": "viewer"})
            assert answer.status == 404, step
    assert theirs.get("/console/account").status == 200
    # Nor has the operator's page of its own people those of members.
    assert operators.get(f"/desk/users/{theirs.user}").status == 404


def test_a_change_needs_a_reason_and_a_yes(site: Site) -> None:
    admin, other = site.staff("AUR", Role.ADMIN), site.staff("AUR", Role.VIEWER)
    for form in ({}, {"reason": "示例"}, {"sure": "1", "reason": "  "}):
        assert admin.post(f"/console/users/{other.user}/deactivate", form).status == 422
    assert admin.post(f"/console/users/{other.user}/promote", SURE).status == 404
    assert other.get("/console/account").status == 200


def test_nobody_ends_or_promotes_themselves(site: Site) -> None:
    admin = site.staff("AUR", Role.ADMIN)
    for step in ("role", "reset", "deactivate"):
        answer = admin.post(f"/console/users/{admin.user}/{step}", {**SURE, "role": "viewer"})
        assert answer.status == 422
    assert admin.get("/console/account").status == 200


def test_a_systems_trail_is_its_own(site: Site) -> None:
    site.staff("BAM", Role.ADMIN).post("/console/users/new", {"name": "theirs", "role": "viewer"})
    admin = site.staff("AUR", Role.ADMIN, "boss")
    admin.post("/console/users/new", {"name": "ours", "role": "viewer"})
    seen = admin.get("/console/audit").words("//tbody")
    assert "ours@AUR" in seen
    assert "theirs" not in seen
    every = site.staff(None, Role.VIEWER).get("/desk/audit").words("//tbody")
    assert "ours@AUR" in every
    assert "theirs@BAM" in every


def test_the_trail_is_paged_and_narrowed(site: Site) -> None:
    admin = site.staff("AUR", Role.ADMIN, "boss")
    with site.context.database.office() as session:
        session.run(
            "INSERT INTO audit_log (at, actor, action, subject, details, system)"
            " SELECT now(), 'boss@AUR', 'statement.download', 'statement ' || n, '{}', 1"
            " FROM generate_series(1, 60) AS n"
        )
    admin.get("/console/audit?action=statement.&actor=boss@AUR")
    first = admin.page.xpath("//tbody/tr/td[3]/text()")
    assert len(first) == 50
    assert first[0] == "60"
    admin.get(admin.page.xpath('//a[@rel="next"]/@href')[0])
    assert admin.page.xpath("//tbody/tr/td[3]/text()") == [str(n) for n in range(10, 0, -1)]
    assert admin.get("/console/audit?actor=nobody").words(".//div[@class='empty']")
    for bad in ("x", "W10", "WyJhIl0", "WzEsMl0"):
        assert admin.get(f"/console/audit?after={bad}").status == 400
