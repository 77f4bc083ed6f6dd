"""What somebody tries who wants in without being asked: at the doors, with others' cookies, and from inside."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from clearinghouse.operations import sign_in as signing_in
from clearinghouse.operations.context import Context
from clearinghouse.operations.passwords import verify_password
from tests.web.signing import PASSWORD, actions, invited, person
from tests.web.site import Browser, Site
from web.frame.staff import Role


def token_of(browser: Browser, area: str = "console") -> str:
    with browser.http.session_transaction(base_url="http://clearing.test") as kept:
        return str(kept.get(area, ""))


def put_token(browser: Browser, token: str, area: str = "console") -> None:
    with browser.http.session_transaction(base_url="http://clearing.test") as kept:
        kept[area] = token


def try_password(site: Site, login: str, tried: str = "x", address: str = "192.0.2.1") -> Browser:
    return site.stranger(address).post("/console/sign-in", {"login": login, "password": tried})


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    admin = site.staff("AUR", Role.ADMIN)
    for path in (
        "/console/sign-in", "/console/sign-in/second", "/console/sign-in/set-up", "/console/sign-out",
        "/console/account/password", "/console/account/recovery-codes", "/console/account/sign-out-everywhere",
        "/console/users/new", f"/console/users/{admin.user}/reset", "/desk/sign-in",
    ):  # fmt: skip
        assert admin.post(path, {"reason": "x", "sure": "1"}, csrf=False).status == 400, path
    assert admin.post("/console/sign-out", {"csrf_token": "made up"}, csrf=False).status == 400
    assert admin.get("/console/account").status == 200


def test_each_step_gives_another_token_and_ends_the_former(site: Site) -> None:
    member, browser = person(site, "AUR"), site.stranger()
    put_token(browser, "fixed by somebody else")
    member.give_password(browser)
    half = token_of(browser)
    member.give_code(browser)
    whole = token_of(browser)
    assert len({"fixed by somebody else", half, whole}) == 3
    thief = site.stranger()
    for stale in ("fixed by somebody else", half):
        put_token(thief, stale)
        assert thief.get("/console/account").location.startswith("/console/sign-in?")
    browser.post("/console/account/recovery-codes", {"code": member.code()})
    assert token_of(browser) != whole
    put_token(thief, whole)
    assert thief.get("/console/account").status == 302


def test_a_form_of_before_the_sign_in_is_stale_after_it(site: Site) -> None:
    member, browser = person(site, "AUR"), site.stranger()
    browser.get("/console/sign-in")
    before = browser.page.xpath('//main//input[@name="csrf_token"]/@value')[0]
    member.sign_in(browser)
    assert browser.post("/console/sign-out", {"csrf_token": before}, csrf=False).status == 400


def test_the_second_factor_can_not_be_left_out(site: Site) -> None:
    member, browser = person(site, "AUR"), site.stranger()
    member.give_password(browser)
    assert browser.get("/console/account").location.startswith("/console/sign-in/second")
    assert browser.get("/console/sign-in/set-up").location.startswith("/console/sign-in")


def test_a_code_counts_once(site: Site) -> None:
    member = person(site, "AUR")
    code = member.code()
    first, second = site.stranger(), site.stranger()
    for browser in (first, second):
        member.give_password(browser)
    assert member.give_code(first, code).location == "/console/"
    assert member.give_code(second, code).status == 422
    assert "已经用过" in second.words()
    assert second.get("/console/account").status == 302


def test_codes_of_long_ago_and_of_later_are_none(site: Site) -> None:
    member, browser = person(site, "AUR"), site.stranger()
    old = member.code()
    site.alliance.clock.now += timedelta(seconds=90)
    member.give_password(browser)
    assert member.give_code(browser, old).status == 422
    later = member.code()
    site.alliance.clock.now -= timedelta(seconds=90)
    assert member.give_code(browser, later).status == 422


def test_after_some_failures_a_login_waits_longer_each_time_even_with_the_right_password(
    site: Site,
) -> None:
    member, clock = person(site, "AUR"), site.alliance.clock
    for count in range(5):
        assert try_password(site, member.login, address=f"192.0.2.{count}").status == 422
    refused = try_password(site, member.login, PASSWORD)
    assert refused.status == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert ("sample1@AUR", "sign_in.paused") in actions(site, "sign_in")
    clock.now += timedelta(seconds=31)
    assert try_password(site, member.login).status == 422
    clock.now += timedelta(seconds=31)
    assert try_password(site, member.login, PASSWORD).status == 429
    clock.now += timedelta(seconds=31)
    member.sign_in()
    # Whoever is in begins anew.
    assert try_password(site, member.login).status == 422
    assert try_password(site, member.login).status == 422


def test_wrong_codes_count_too(site: Site) -> None:
    member, browser = person(site, "AUR"), site.stranger()
    member.give_password(browser)
    for _ in range(5):
        assert member.give_code(browser, "000000").status == 422
    # The code counts 30 seconds later, when the pause is just over.
    code = member.code()
    site.alliance.clock.now -= timedelta(seconds=29)
    assert member.give_code(browser, code).status == 429


def test_an_address_that_tries_many_logins_waits(site: Site) -> None:
    with patch.object(signing_in, "verify_password", return_value=False):
        for count in range(20):
            assert try_password(site, f"nobody{count}@AUR").status == 422
        assert try_password(site, "another@AUR").status == 429
        assert try_password(site, "another@AUR", address="192.0.2.2").status == 422
        # Somebody's whole network of IPv6 is one.
        for count in range(20):
            try_password(site, f"six{count}@AUR", address=f"2001:db8::{count:x}")
        assert try_password(site, "another@AUR", address="2001:db8::ffff").status == 429


def test_nothing_tells_whether_a_login_exists(site: Site) -> None:
    member = person(site, "AUR", Role.ADMIN, "known")
    person(site, "AUR", Role.ADMIN, "other")
    gone = person(site, "AUR", Role.FINANCE, "gone")
    boss = site.staff("AUR", Role.ADMIN)
    boss.post(f"/console/users/{gone.user}/deactivate", {"reason": "示例", "sure": "1"})
    chief = person(site, None, Role.ADMIN, "chief")
    told: dict[str, list[tuple[int, str]]] = {}
    for number, login in enumerate((member.login, "unknown@AUR", "x", gone.login, chief.login)):
        for count in range(7):
            # The right one of those who may not come in here.
            password = "x" if login == member.login else PASSWORD
            answer = try_password(site, login, password, f"198.51.{number}.{count}")
            words = answer.words("//main//div[@role='alert']")
            # Seconds pass between two answers.
            told.setdefault(login, []).append(
                (answer.status, words if answer.status == 422 else "")
            )
        site.alliance.clock.now += timedelta(milliseconds=1)
    first, *others = told.values()
    assert all(other == first for other in others)
    assert [status for status, _ in first] == [422] * 5 + [429] * 2


def test_an_unknown_login_is_the_same_work(site: Site) -> None:
    member = person(site, "AUR")
    compared: list[str | None] = []

    def watched(password_hash: str | None, password: str) -> bool:
        compared.append(password_hash)
        return verify_password(password_hash, password)

    with patch.object(signing_in, "verify_password", watched):
        try_password(site, member.login)
        try_password(site, "unknown@AUR")
    assert compared[0] is not None
    assert compared[1] is None
    # Without a hash it is compared with one that nobody has the password of.
    assert not verify_password(None, PASSWORD)


def test_an_unknown_login_is_not_written_down(site: Site) -> None:
    try_password(site, "my secret password")
    rows = site.alliance.rows("SELECT actor || subject || details::text FROM audit_log")
    assert not [row for row in rows if "secret" in row[0]]
    assert actions(site, "sign_in") == [("unknown", "sign_in.failed")]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/", "//evil.test/", "/\\evil.test", "/console/\\..\\\\evil.test", "javascript:alert(1)",
        "/desk/", "/consolex", "console/", "/console/\r\nSet-Cookie: a=b", "/console/" + "a" * 2000,
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(site: Site, wanted: str) -> None:
    browser = site.staff("AUR", Role.VIEWER)
    browser.http.get("/console/sign-in", query_string={"next": wanted})
    answer = browser.http.get(
        "/console/sign-in", query_string={"next": wanted}, base_url="http://clearing.test"
    )
    assert answer.headers["Location"] == "/console/"


def test_the_cookie_is_for_the_site_alone(context: Context, tmp_path: Path) -> None:
    safe = Site(context, tmp_path / "safe", "https://clearing.test")
    browser = safe.stranger()
    browser.get("/console/sign-in")
    (cookie,) = browser.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-clearing=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie, flag
    assert "Domain" not in cookie


def test_the_database_has_no_token_and_no_secret_in_the_clear(site: Site) -> None:
    member = person(site, "AUR")
    browser = member.sign_in()
    rows = site.alliance.rows(
        "SELECT u::text FROM users u UNION ALL SELECT s::text FROM user_sessions s"
        " UNION ALL SELECT c::text FROM user_recovery_codes c UNION ALL SELECT a::text FROM audit_log a"
    )
    text = " ".join(row[0] for row in rows)
    secrets = (token_of(browser), member.secret, PASSWORD, *member.recovery_codes)
    for secret in secrets:
        assert secret not in text
        assert secret.encode().hex() not in text


def test_a_role_that_changes_and_a_user_that_ends_are_out_at_once(site: Site) -> None:
    admin = site.staff("AUR", Role.ADMIN)
    for step, form in (("role", {"role": "viewer"}), ("deactivate", {}), ("reset", {})):
        member = person(site, "AUR", Role.FINANCE, f"for-{step}")
        browser = member.sign_in()
        answer = admin.post(
            f"/console/users/{member.user}/{step}", {"reason": "示例", "sure": "1", **form}
        )
        assert answer.status == (200 if step == "reset" else 302), step
        assert browser.get("/console/account").status == 302, step
        if step != "role":
            assert member.give_password(site.stranger()).status == 422, step


def test_a_secret_that_was_never_proved_is_no_second_factor(site: Site) -> None:
    """Two browsers set up the same user at once: the first one wins, the other has nothing."""
    made = invited(site, "AUR")
    form = {"login": made.login, "password": made.initial_password}
    slow = site.stranger().post("/console/sign-in", form).follow()
    assert "二维码" in slow.text
    admin = site.staff("AUR", Role.ADMIN)
    admin.post(f"/console/users/{made.user}/reset", {"reason": "示例", "sure": "1"})
    again = {"password": PASSWORD, "again": PASSWORD, "code": "123456"}
    assert slow.post("/console/sign-in/set-up", again).location == "/console/sign-in"
