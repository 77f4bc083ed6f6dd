"""Travellers sign in by a one-time code and their name; nobody learns who is known."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from clearinghouse.operations import traveller_access
from clearinghouse.operations.names import answers_to
from clearinghouse.store.database import Session
from tests.web.site import Site
from tests.web.travellers import PEOPLE, all_sent, ask, sign_in, traveller

UNKNOWN = "13900139999"
PHONE, NAME = PEOPLE["T1"]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is asked of the database meanwhile, by statement; letters are kept back."""
    asked: list[str] = []
    execute = Session._execute

    def noted(self: Session, cursor: Any, sql: str, parameters: Any) -> None:
        asked.append(sql)
        execute(self, cursor, sql, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "_execute", noted)
        patch.setattr("web.pool.postbox.Postbox.drop", lambda self, work, log_failure: None)
        yield asked


def test_a_code_and_the_name_let_in(site: Site) -> None:
    browser = site.stranger().get("/pool/history")
    assert browser.location == "/pool/sign-in?next=/pool/history"
    browser.follow().post(browser_path(browser), {"to": "１38-0013 8000"})
    to, code, minutes = all_sent(site)[-1]
    assert (to, len(code), minutes) == ("+8613800138000", 6, 10)
    browser.post("/pool/sign-in/code", {"code": f" {code[:3]} {code[3:]} ", "name": "李 芳"})
    assert browser.location == "/pool/history"
    assert "李芳" in browser.get("/pool").words()
    cookie = browser.http.get_cookie("pool", domain="clearing.test")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert site.alliance.value("SELECT token_hash FROM traveller_sessions") != cookie.value.encode()


def browser_path(browser: Any) -> str:
    return str(browser.page.xpath("//form/@action")[0])


def test_by_e_mail_too(site: Site) -> None:
    site.alliance.add({"travellers.csv": (("T9", "示例客人", "", "Guest@Example.CN"),)})
    site.alliance.add({"cards.csv": (("6277810000000047", "T9", "AUR-BJ", "A1", "2026-01-05"),)})
    browser = sign_in(site, " guest@example.cn ", "示例客人")
    assert browser.location == "/pool"
    assert site.codes[-1][0] == "guest@example.cn"


@pytest.mark.parametrize(
    "place", ["", "12", "no address", "a@", "@b", "x" * 300, "1" * 300, "a\x00b@c.cn"]
)
def test_what_is_no_phone_or_address_is_told_beside_the_field(site: Site, place: str) -> None:
    browser = ask(site, place)
    assert browser.status == 422
    assert browser.page.xpath("//*[@aria-invalid='true']")
    assert all_sent(site) == []


def test_nobody_learns_who_is_known(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    traveller(site)  # what is done once is done
    answers = []
    for place in (PHONE, UNKNOWN, "known@example.cn", "unknown@example.cn"):
        browser = site.stranger()
        browser.get("/pool/sign-in")
        with counted(monkeypatch) as asked:
            browser.post("/pool/sign-in", {"to": place})
            browser.follow()
            browser.post("/pool/sign-in/code", {"code": "", "name": NAME})
        text = browser.words().replace(str(browser.page.xpath("string(//p[@class='lead'])")), "")
        answers.append((browser.status, text, asked))
    assert answers[0][0] == 422
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    assert len(answers[0][2]) > 5


def test_nothing_is_sent_to_strangers(site: Site) -> None:
    assert ask(site, UNKNOWN).location == "/pool/sign-in/code"
    assert all_sent(site) == []


def test_codes_are_compared_in_constant_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Watched:
        compare_digest = staticmethod(compare)

    monkeypatch.setattr(traveller_access, "hmac", Watched)
    traveller(site)
    assert len(compared) == 1
    assert compared[0][0] == compared[0][1]
    code = site.codes[-1][1]
    stored = site.alliance.value("SELECT code_hash FROM traveller_codes")
    assert code.encode() not in bytes(stored)


def test_a_code_is_good_once_for_five_tries_and_ten_minutes(site: Site) -> None:
    browser = ask(site, PHONE)
    code = all_sent(site)[-1][1]
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(traveller_access.TRIES):
        browser.post("/pool/sign-in/code", {"code": wrong, "name": NAME})
        assert browser.status == 422
    browser.post("/pool/sign-in/code", {"code": code, "name": NAME})
    assert browser.location == "/pool/sign-in"
    assert browser.get("/pool").location.startswith("/pool/sign-in")

    browser = ask(site, PHONE)
    kept = browser.http.get_cookie("clearing", domain="clearing.test")
    assert kept is not None
    given = {"code": all_sent(site)[-1][1], "name": NAME}
    assert browser.post("/pool/sign-in/code", given).location == "/pool"
    replay = site.stranger()
    replay.http.set_cookie("clearing", kept.value, domain="clearing.test")
    assert replay.post("/pool/sign-in/code", given).location == "/pool/sign-in"

    browser = ask(site, PHONE)
    given = {"code": all_sent(site)[-1][1], "name": NAME}
    site.alliance.clock.now += timedelta(minutes=10)
    assert browser.post("/pool/sign-in/code", given).location == "/pool/sign-in"


def test_the_name_has_to_be_right(site: Site) -> None:
    browser = ask(site, PHONE)
    code = all_sent(site)[-1][1]
    for name in ("", "王伟", "李"):
        browser.post("/pool/sign-in/code", {"code": code, "name": name})
        assert browser.status == 422
        assert "验证码或姓名不对" in browser.words()
    assert browser.post("/pool/sign-in/code", {"code": code, "name": NAME}).location == "/pool"


def test_two_who_share_a_phone_come_to_their_own_pools(site: Site) -> None:
    site.alliance.add({"travellers.csv": (("T8", "李雷", "+8613800138000"),)})
    site.alliance.add({"cards.csv": (("6277810000000047", "T8", "BAM-HZ", "B1", "2026-01-05"),)})
    site.alliance.accept("spend", "BAM-HZ", "Q1", "T1", "2026-11-03", amount=100_000)
    mine, theirs = traveller(site), sign_in(site, PHONE, "李雷")
    assert mine.get("/pool").words("//*[@data-test='points']") == "1,500"
    assert theirs.get("/pool").words("//*[@data-test='points']") == "0"
    assert NAME not in theirs.text


def test_one_person_with_two_pools_can_look_at_both(site: Site) -> None:
    site.alliance.add({"travellers.csv": (("T8", NAME, "+8613800138000"),)})
    site.alliance.add({"cards.csv": (("6277810000000047", "T8", "BAM-HZ", "B1", "2026-01-05"),)})
    browser = traveller(site).get("/pool/me")
    assert "**** 0047" in browser.words()
    browser.post("/pool/me/pool", {"pool": "1"}).follow()
    assert "**** 0013" in browser.get("/pool/me").words()
    browser.post("/pool/me/pool", {"pool": "7"})
    assert "**** 0013" in browser.get("/pool/me").words()


def test_limits_of_a_phone_an_asker_and_everybody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(traveller_access.CODES_AN_HOUR):
        assert ask(site, UNKNOWN).status == 302
    refused = ask(site, UNKNOWN, site.stranger("192.0.2.9"))
    assert refused.status == 429
    assert "上限" in refused.words()
    site.alliance.clock.now += timedelta(hours=1)
    assert ask(site, UNKNOWN).status == 302

    monkeypatch.setattr(traveller_access, "ASKED_AN_HOUR", 3)
    for number in range(2):
        assert ask(site, f"1390013900{number}").status == 302
    assert ask(site, "13900139005").status == 429
    assert ask(site, "13900139005", site.stranger("192.0.2.9")).status == 302

    monkeypatch.setattr(traveller_access, "ALL_AN_HOUR", 4)
    assert ask(site, "13900139006", site.stranger("192.0.2.10")).status == 429


def test_wrong_codes_for_a_phone_are_counted_over_a_day(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traveller_access, "TRIES_A_DAY", 3)
    for _ in range(3):
        ask(site, PHONE).post("/pool/sign-in/code", {"code": "x", "name": NAME})
    browser = ask(site, PHONE)
    browser.post("/pool/sign-in/code", {"code": all_sent(site)[-1][1], "name": NAME})
    assert browser.location == "/pool/sign-in"
    site.alliance.clock.now += timedelta(days=1)
    traveller(site)


def test_a_session_ends_after_thirty_days_without_use(site: Site) -> None:
    browser = traveller(site)
    for _ in range(3):
        site.alliance.clock.now += timedelta(days=29)
        assert browser.get("/pool").status == 200
    site.alliance.clock.now += timedelta(days=30, seconds=1)
    assert browser.get("/pool").location.startswith("/pool/sign-in")


def test_signing_out_here_and_everywhere(site: Site) -> None:
    one, two, three, other = (
        traveller(site), traveller(site), traveller(site), traveller(site, "T2")
    )  # fmt: skip
    token = one.http.get_cookie("pool", domain="clearing.test")
    assert token is not None
    one.post("/pool/sign-out")
    thief = site.stranger()
    thief.http.set_cookie("pool", token.value, domain="clearing.test")
    assert thief.get("/pool").location.startswith("/pool/sign-in")
    assert two.get("/pool").status == 200
    assert "最近使用" in two.get("/pool/me").words()
    two.post("/pool/me/sign-out-everywhere")
    for browser in (one, two, three):
        assert browser.get("/pool").location.startswith("/pool/sign-in")
    assert other.get("/pool").status == 200


def test_nothing_that_a_stranger_brought_lives_on(site: Site) -> None:
    browser = site.stranger()
    browser.http.set_cookie("pool", "chosen-by-somebody-else", domain="clearing.test")
    sign_in(site, PHONE, NAME, browser)
    token = browser.http.get_cookie("pool", domain="clearing.test")
    assert token is not None
    assert token.value != "chosen-by-somebody-else"
    with browser.http.session_transaction(base_url="http://clearing.test") as kept:
        assert "pool_asked" not in kept


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        ("/pool/me", "/pool/me"),
        ("//evil.example/pool", "/pool"),
        ("https://evil.example/pool", "/pool"),
        ("/pool/../console", "/pool"),
        ("/poolside", "/pool"),
        ("/pool\\@evil.example", "/pool"),
        ("/pool/\nx", "/pool"),
    ],
)
def test_one_comes_back_only_to_own_pages(site: Site, wanted: str, gone: str) -> None:
    browser = site.stranger()
    browser.post(f"/pool/sign-in?{urlencode({'next': wanted})}", {"to": PHONE})
    browser.post("/pool/sign-in/code", {"code": all_sent(site)[-1][1], "name": NAME})
    assert browser.location == gone


def test_every_form_needs_its_token(site: Site) -> None:
    browser = traveller(site)
    for path in (
        "/pool/sign-in", "/pool/sign-in/code", "/pool/sign-out", "/pool/me/sign-out-everywhere", "/pool/me/pool",
        "/pool/stays/new/BAM-HZ", "/pool/stays/stay_x/withdraw", "/pool/hotels/BAM-HZ/card",
    ):  # fmt: skip
        assert browser.post(path, {}, csrf=False).status == 400, path
    assert browser.get("/pool").status == 200


def test_an_erased_traveller_is_out_and_stays_out(site: Site) -> None:
    browser = traveller(site)
    with site.context.database.office() as session:
        session.run("RESET ROLE")
        session.run(
            "UPDATE travellers SET person_key = NULL, personal = NULL, phone_index = NULL WHERE ref = 'T1'"
        )
    assert browser.get("/pool").location.startswith("/pool/sign-in")
    ask(site, PHONE)
    assert len(all_sent(site)) == 1


@pytest.mark.parametrize(
    ("on_record", "said", "right"),
    [
        ("李芳", " 李　芳 ", True),
        ("Li Fang", "LI FANG", True),
        ("李芳 Li Fang", "李芳", True),
        ("李芳 Li Fang", "li fang", True),
        ("李芳 Li Fang", "李芳 Li Fang", True),
        ("李芳 Li Fang", "李", False),
        ("Li Fang", "Fang", False),
        ("", "", False),
        ("李芳", "", False),
    ],
)
def test_a_name_is_right_in_either_script(on_record: str, said: str, right: bool) -> None:
    assert answers_to(on_record, said) is right
