"""Signing in: the first time, every time, and what ends it."""

from datetime import timedelta

from tests.web.signing import PASSWORD, Person, actions, invited, person, set_up
from tests.web.site import Browser, Site
from web.frame.staff import Role


def is_in(browser: Browser, area: str = "console") -> bool:
    return browser.get(f"/{area}/account").status == 200


def test_a_new_user_sets_up_password_and_second_factor_before_anything_else(site: Site) -> None:
    made = invited(site, "AUR")
    newcomer = Person(site, "console", made.user, made.login, made.initial_password)
    browser = set_up(newcomer)
    assert len(set(newcomer.recovery_codes)) == 10
    assert is_in(browser)
    assert actions(site, "user.", "sign_in") == [
        ("tests", "user.create"),
        ("sample1@AUR", "user.set_up"),
        ("sample1@AUR", "sign_in"),
    ]
    # The initial password is over.
    again = site.stranger()
    assert newcomer.give_password(again, made.initial_password).status == 422


def test_an_initial_password_opens_nothing_but_the_setting_up(site: Site) -> None:
    made = invited(site, "AUR", Role.ADMIN)
    newcomer = Person(site, "console", made.user, made.login, made.initial_password)
    browser = site.stranger()
    newcomer.give_password(browser)
    for path in ("/console/", "/console/account", "/console/users", "/console/sign-in/second"):
        assert browser.get(path).status == 302, path
    assert browser.get("/console/account").location.startswith("/console/sign-in/set-up")


def test_what_is_wrong_with_a_set_up_is_told_and_nothing_is_kept(site: Site) -> None:
    made = invited(site, "AUR")
    newcomer = Person(site, "console", made.user, made.login, made.initial_password)
    browser = newcomer.give_password(site.stranger()).follow()
    secret = browser.words('//code[@class="secret"]')
    newcomer.secret = "".join(secret.split())
    for password, again, code, told in (
        ("short", "short", newcomer.code(), "密码至少 12 个字符"),
        ("password1234", "password1234", newcomer.code(), "太常见"),
        ("sample1sample1", "sample1sample1", newcomer.code(), "不要用登录名"),
        (PASSWORD, "another one here", newcomer.code(), "两次输入的密码不同"),
        (made.initial_password, made.initial_password, newcomer.code(), "与现在的密码相同"),
        (PASSWORD, PASSWORD, "000000", "验证码不对"),
    ):
        form = {"password": password, "again": again, "code": code}
        assert browser.post("/console/sign-in/set-up", form).status == 422, told
        assert told in browser.words(), told
        # It stays the same second factor, which a phone may have already.
        assert browser.words('//code[@class="secret"]') == secret


def test_an_initial_password_is_good_for_a_week(site: Site) -> None:
    made = invited(site, "AUR")
    newcomer = Person(site, "console", made.user, made.login, made.initial_password)
    site.alliance.clock.now += timedelta(days=7)
    assert newcomer.give_password(site.stranger()).status == 422


def test_password_and_code_sign_in_and_lead_where_one_wanted_to_go(site: Site) -> None:
    member = person(site, "AUR")
    browser = site.stranger()
    browser.get("/console/account").follow()
    (action,) = browser.page.xpath("//main//form/@action")
    browser.post(action, {"login": "SAMPLE1@aur ", "password": PASSWORD})
    assert browser.location == "/console/sign-in/second?next=/console/account"
    browser.post(browser.location, {"code": member.code()})
    assert browser.location == "/console/account"
    assert "sample1@AUR" in browser.follow().words()


def test_a_recovery_code_stands_in_for_the_phone_once(site: Site) -> None:
    member = person(site, "AUR")
    first, second = site.stranger(), site.stranger()
    code = member.recovery_codes[3]
    member.give_password(first)
    assert member.give_code(first, f" {code.upper()} ").location == "/console/"
    member.give_password(second)
    assert member.give_code(second, code).status == 422
    assert not is_in(second)


def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    member = person(site, "AUR")
    browser, thief = member.sign_in(), site.stranger()
    copy_cookies(browser, thief)
    assert is_in(thief)
    browser.post("/console/sign-out").follow()
    assert "您已退出登录" in browser.words()
    assert not is_in(thief)


def test_a_session_is_over_when_idle_and_after_twelve_hours(site: Site) -> None:
    member, clock = person(site, "AUR"), site.alliance.clock
    browser = member.sign_in()
    clock.now += timedelta(minutes=29)
    assert is_in(browser)
    clock.now += timedelta(minutes=31)
    assert not is_in(browser)
    browser = member.sign_in()
    for _ in range(23):
        assert is_in(browser)
        clock.now += timedelta(minutes=29)
    clock.now += timedelta(minutes=29)
    assert not is_in(browser)


def test_another_password_ends_all_other_sessions(site: Site) -> None:
    member = person(site, "AUR")
    here, there = member.sign_in(), member.sign_in()
    form = {
        "present": PASSWORD,
        "wanted": "four other sample words",
        "again": "four other sample words",
    }
    assert (
        here.post("/console/account/password", {**form, "present": "not the password"}).status
        == 422
    )
    assert "现在的密码不对" in here.words()
    assert here.post("/console/account/password", form).location == "/console/account"
    assert is_in(here)
    assert not is_in(there)
    assert member.give_password(site.stranger()).status == 422
    member.password = form["wanted"]
    member.sign_in()


def test_other_recovery_codes_end_the_former_ones(site: Site) -> None:
    member = person(site, "AUR")
    browser = member.sign_in()
    assert browser.post("/console/account/recovery-codes", {"code": "123"}).status == 422
    browser.post("/console/account/recovery-codes", {"code": member.code()})
    fresh = [code.text_content() for code in browser.page.xpath('//ul[@class="codes"]//code')]
    assert len(fresh) == 10
    assert is_in(browser)
    other = site.stranger()
    member.give_password(other)
    assert member.give_code(other, member.recovery_codes[0]).status == 422
    assert member.give_code(other, fresh[0]).location == "/console/"


def test_signing_out_everywhere(site: Site) -> None:
    member = person(site, "AUR")
    here, there = member.sign_in(), member.sign_in()
    assert here.post("/console/account/sign-out-everywhere").location == "/console/sign-in"
    assert not is_in(here)
    assert not is_in(there)


def test_the_operators_people_sign_in_at_the_desk(site: Site) -> None:
    chief = person(site, None, Role.ADMIN, "chief")
    assert is_in(chief.sign_in(), "desk")
    elsewhere = site.stranger()
    elsewhere.post("/console/sign-in", {"login": "chief", "password": PASSWORD})
    assert elsewhere.status == 422


def test_both_doors_speak_english(site: Site) -> None:
    stranger = site.stranger()
    for door in ("/console/sign-in", "/desk/sign-in"):
        assert "Password" in stranger.get(f"{door}?lang=en").words()


def copy_cookies(browser: Browser, other: Browser) -> None:
    """Let another browser have what this one sends."""
    held = browser.http.get_cookie("clearing", domain="clearing.test")
    assert held is not None
    other.http.set_cookie("clearing", held.value, domain="clearing.test")
