"""What somebody who means no good writes into addresses and forms: no page fails, and none leads elsewhere."""

import json
import re
from base64 import urlsafe_b64encode
from functools import partial
from urllib.parse import quote

import pytest
from werkzeug.routing import Rule

from tests.web.signing import PASSWORD, person
from tests.web.site import URL, Browser, Site
from tests.web.test_every_page import WEB
from tests.web.travellers import traveller
from web.console.money_form import fen_of
from web.desk.forms import attempt, yuan_in
from web.frame.staff import Role
from web.pool.stays import _fen


def cursor(*place: object) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


#: Places in lists that no page of ours writes.
PLACES = (
    cursor(10**30), cursor(-(1 << 40)), cursor(1 << 40), cursor("\x00"), cursor("\x00", "\x00"),
    cursor("9999-12-31T00:00:00+00:00", "0" * 32), cursor(True, 1 << 40, 1 << 40, "x"),
    cursor(True, 1, 1, "\x00"), cursor({}), "!", "é\x00",
)  # fmt: skip
#: Parts of addresses that name nothing, and arguments that no link of ours has.
PARTS = ("\x00", "9" * 300, "2147483648", "2026-10\r\nX-Evil: 1", "１２")
NAMES = (
    "q", "period", "state", "side", "action", "actor", "card", "system", "hotel", "since", "until", "ref",
    "kind", "line", "met", "direction", "amount", "outcome", "leg", "issuer", "stage", "finding", "version",
    "from", "to", "next", "lang",
)  # fmt: skip
TEXTS = ("\x00", "9" * 300, "//[")
#: Arguments of ``url_for`` itself.
LEADING_AWAY = "_external=1&_scheme=javascript&_anchor=a&_method=PUT&endpoint=home.home&self=1"


def filled(rule: Rule, value: str) -> str:
    """The address of a rule with one value in all its places."""

    def part(found: re.Match[str]) -> str:
        if (found[1] or "").startswith("int"):
            return value if value.isascii() and value.isdigit() else "1"
        return quote(value, safe="")

    return re.sub(r"<(?:([^:<>]+):)?(\w+)>", part, rule.rule)


def pages(site: Site, area: str) -> list[Rule]:
    found = sorted(site.app.url_map.iter_rules(), key=lambda rule: rule.rule)
    return [rule for rule in found if rule.rule.split("/")[1] == area and "GET" in rule.methods]


def reader(site: Site, area: str) -> Browser:
    if area == "pool":
        return traveller(site)
    return site.staff("AUR" if area == "console" else None, Role.ADMIN)


@pytest.mark.parametrize("area", ["console", "desk", "pool"])
def test_no_page_fails_at_what_an_address_may_say(settled: Site, area: str) -> None:
    """Each kind of argument at every page; what nobody expected is in ``failures``, which the fixture looks at."""
    browser = reader(settled, area)

    def look(path: str, *arguments: tuple[str, str]) -> None:
        browser.answer = browser.http.get(path, query_string=list(arguments), base_url=URL)
        assert browser.status < 500, (path[:100], arguments[:2])
        assert "X-Evil" not in browser.headers

    for rule in pages(settled, area):
        path = filled(rule, "2026-10")
        for text in TEXTS:
            look(path, *((name, text) for name in NAMES))
        for place in PLACES:
            look(path, ("after", place))
        for value in PARTS if path != rule.rule else ():
            look(filled(rule, value))


def test_no_link_leads_elsewhere_because_of_an_address(settled: Site) -> None:
    """The links to the other language and to the next page keep arguments, but not those of ``url_for``."""
    for area in ("console", "desk", "pool"):
        browser = reader(settled, area)
        for rule in pages(settled, area):
            if "<" not in rule.rule:
                assert browser.get(f"{rule.rule}?{LEADING_AWAY}").status < 500, rule.rule
                links = browser.page.xpath("//a/@href") if browser.text else []
                assert not [link for link in links if not link.startswith(("/", "#", "?"))], (
                    rule.rule
                )
    # What the address is of stays what it is of.
    browser = reader(settled, "console")
    browser.get("/console/statements/2026-10?period=2026-11&area=desk")
    (other,) = browser.page.xpath("//a[@class='language']/@href")
    assert other.startswith("/console/statements/2026-10?")


def test_a_way_back_that_is_no_address_leads_home(site: Site) -> None:
    for wanted in ("//[", "http://[", "/pool/\x00", "//evil.test/pool/", "/pool\\evil"):
        browser = site.stranger()
        browser.get("/pool/sign-in")
        path = f"/pool/sign-in?next={quote(wanted)}"
        assert browser.post(path, {"to": "13800138000"}).location == "/pool/sign-in/code", wanted


def test_to_ask_for_the_head_of_a_form_does_nothing(site: Site) -> None:
    """HEAD is no form that was sent: it needs no token, so it may not do what a form does."""
    member = person(site, "AUR")
    browser = site.stranger()
    form = {"login": member.login, "password": PASSWORD}
    assert browser.http.head("/console/sign-in", data=form, base_url=URL).status_code == 200
    assert browser.get("/console/").location.startswith("/console/sign-in?")
    member.give_password(browser)
    for _ in range(6):
        answer = browser.http.head("/console/sign-in/second", data={"code": "1"}, base_url=URL)
        assert answer.status_code == 200
    assert member.give_code(browser).location == "/console/"
    admin, users = site.staff("AUR", Role.ADMIN), "SELECT count(*) FROM users"
    before = site.alliance.value(users)
    new = {"name": "by-head", "role": "admin"}
    assert admin.http.head("/console/users/new", data=new, base_url=URL).status_code == 200
    assert site.alliance.value(users) == before


def test_a_login_that_no_keyboard_types_is_no_login(site: Site) -> None:
    for login in ("a\x00b@AUR", "\ufeff", "a" * 10_000):
        answer = site.stranger().post("/console/sign-in", {"login": login, "password": "x"})
        assert answer.status == 422, login[:10]


def test_a_client_never_has_more_than_was_chosen(site: Site) -> None:
    """Of scopes that only the operator's clients can have, none is left for a member's: that is not all of them."""
    admin = site.staff(None, Role.ADMIN)
    form = {"system": "AUR", "name": "till", "reason": "示例", "scope": "operator"}
    assert admin.post("/desk/clients/new", form).status == 422
    assert site.alliance.value("SELECT count(*) FROM clients") == 0


AMOUNTS = (
    ("1,234.50", 123_450), ("1，234", 123_400), ("1,234,567.8", 123_456_780), ("0.05", 5), ("12,50", None),
    ("1,2", None), ("1234567,000", None), ("1e3", None), ("0.005", None), ("-5", None), (".5", None),
    ("9" * 5_000, None), ("١٢", None), ("NaN", None), ("1 2", None),
)  # fmt: skip


def test_an_amount_is_what_is_written_or_none(site: Site) -> None:
    """The forms of all three: a comma that parts no thousands may be meant as a decimal point."""
    for text, fen in AMOUNTS:
        with site.app.test_request_context("/"):
            assert attempt(partial(yuan_in, text))[0] == fen, text
        assert fen_of(text) == fen, text
        assert _fen(text) == fen, text


def test_nothing_is_written_into_a_page_unescaped() -> None:
    """All templates escape what they are given: their names end so, and none turns it off."""
    folder = WEB / "templates"
    for path in folder.rglob("*"):
        assert path.is_dir() or path.suffix == ".html", path.name
        text = path.read_text() if path.is_file() else ""
        assert not re.search(r"\|\s*safe\b|autoescape|=\{\{", text), path.name
