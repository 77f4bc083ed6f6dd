"""Codes of cards: a minute on a phone, a month on paper, forged by nobody, and proved without a network."""

import json
import re
import shlex
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from api.app import create_app
from api.cli.keys import jwks
from api.cli.verify_card import verify_card_command
from api.http.catalogue import CATALOGUE
from clearinghouse.client import SignatureInvalid, verify_card
from clearinghouse.domain import compact_jws
from clearinghouse.domain.card_codes import PRINTED_TYPE, SHOWN_TYPE
from clearinghouse.domain.errors import CardNotActive
from clearinghouse.domain.traveller_errors import CardCodeExpired, CardCodeInvalid, CardCodeUsed
from clearinghouse.operations.card_changes import replace_card
from clearinghouse.operations.card_codes import look_up_code, print_card, show_code
from clearinghouse.operations.cards import look_up
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.signing_keys import CARDS as CARD_KEYS
from clearinghouse.operations.signing_keys import STATEMENTS, all_keys, rotate, withdraw
from tests.alliances import CARDS
from tests.operations.parties import party
from tests.web.site import Site
from tests.web.travellers import traveller

WHY = Authority("tests", "a test's key")


def card_of(site: Site, who: str = "T1") -> int:
    index = site.context.vault.blind_index("card", CARDS[who])
    number = site.alliance.rows("SELECT number FROM cards WHERE number_index = %s", index)[0][0]
    return int(number)


def changed(text: str, **members: object) -> str:
    """A code that says something else, under the signature that it had."""
    head, content, signature = text.split(".")
    said = {**json.loads(compact_jws.decoded(content.encode())), **members}
    return ".".join([head, compact_jws.encoded(compact_jws.compact(said)).decode(), signature])


def test_a_desk_reads_a_code_from_a_phone(site: Site) -> None:
    shown, bam = show_code(site.context, card_of(site)), party(site.alliance, "BAM")
    found = look_up_code(site.context, bam, f" {shown.text}\n")
    assert found == look_up(site.context, bam, CARDS["T1"])
    assert found.own is None
    assert look_up_code(site.context, bam, shown.text) == found
    with pytest.raises(CardCodeUsed):
        look_up_code(site.context, party(site.alliance, "CLD"), shown.text)
    assert look_up_code(site.context, party(site.alliance, None), shown.text).card_masked


def test_a_code_tells_nothing_of_its_card(site: Site) -> None:
    one, two = show_code(site.context, card_of(site)), show_code(site.context, card_of(site))
    said = [json.loads(compact_jws.decoded(c.text.split(".")[1].encode())) for c in (one, two)]
    assert said[0].keys() == {"sub", "exp"}
    assert said[0]["sub"] != said[1]["sub"]
    for text in (one.text, print_card(site.context, card_of(site), "0013").text):
        everything = b"".join(compact_jws.decoded(part.encode()) for part in text.split("."))
        assert CARDS["T1"].encode() not in everything
        assert "李芳".encode() not in everything


def test_a_shown_code_ends_after_a_minute(site: Site) -> None:
    bam, shown = party(site.alliance, "BAM"), show_code(site.context, card_of(site))
    assert shown.expires_at - site.context.clock() <= timedelta(seconds=60)
    site.alliance.clock.now = shown.expires_at - timedelta(milliseconds=20)
    assert look_up_code(site.context, bam, shown.text)
    site.alliance.clock.now = shown.expires_at
    with pytest.raises(CardCodeExpired):
        look_up_code(site.context, bam, shown.text)


def test_a_forged_code_is_refused(site: Site) -> None:
    bam, shown = party(site.alliance, "BAM"), show_code(site.context, card_of(site))
    printed = print_card(site.context, card_of(site), "0013")
    head, content, signature = shown.text.split(".")
    of_statement = compact_jws.sealed(
        compact_jws.to_sign("A" * 43, SHOWN_TYPE, {"sub": "A" * 22, "exp": 4_000_000_000}),
        bytes(64),
    ).decode()
    for text in (
        "", "x", "a.b.c", "成员", of_statement, f"{head}.{content}.{'A' * 86}", f"{shown.text}A", f"{shown.text}.x",
        changed(shown.text, exp=4_000_000_000), changed(shown.text, more=1), changed(printed.text, level=9),
        changed(printed.text, floor_minor=10**9), f"{printed.text.split('.')[0]}.{content}.{signature}",
    ):  # fmt: skip
        with pytest.raises(CardCodeInvalid):
            look_up_code(site.context, bam, text)


def test_codes_of_a_key_that_was_compromised_count_no_more(site: Site) -> None:
    bam, shown = party(site.alliance, "BAM"), show_code(site.context, card_of(site))
    rotate(site.context, CARD_KEYS, WHY, compromised=False)
    assert look_up_code(site.context, bam, shown.text)
    rotate(site.context, CARD_KEYS, WHY, compromised=True)
    fresh = show_code(site.context, card_of(site))
    assert look_up_code(site.context, bam, fresh.text)
    for key in all_keys(site.context, CARD_KEYS):
        if key.compromised_at is None:
            withdraw(site.context, key.kid, WHY)
    for text in (shown.text, fresh.text):
        with pytest.raises(CardCodeInvalid):
            look_up_code(site.context, bam, text)


def test_a_card_that_was_replaced_has_no_code(site: Site) -> None:
    aur, bam = party(site.alliance, "AUR"), party(site.alliance, "BAM")
    printed = print_card(site.context, card_of(site), "0013")
    replace_card(site.context, aur, look_up(site.context, aur, CARDS["T1"]).card_id, None, "lost")
    with pytest.raises(CardNotActive):
        show_code(site.context, card_of(site))
    assert look_up_code(site.context, bam, printed.text).status.value == "replaced"


def test_over_http(site: Site) -> None:
    app = create_app(site.context)
    issued = create_client(site.context, "BAM", "PMS", WHY)
    token = app.test_client().post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_id": issued.client_id,
            "client_secret": issued.secret,
        },
    ).json["access_token"]  # fmt: skip
    shown = show_code(site.context, card_of(site)).text

    def ask(**body: str) -> Any:
        return app.test_client().post(
            "/v1/cards/lookup", json=body, headers={"Authorization": f"Bearer {token}"}
        )

    by_number, by_code = ask(card_number=CARDS["T1"]), ask(card_code=shown)
    assert (by_code.status_code, by_code.json) == (200, by_number.json)
    for body in ({}, {"card_number": CARDS["T1"], "card_code": shown}, {"card_code": ""}):
        assert ask(**body).status_code == 422
    refused = ask(card_code=changed(shown, exp=1))
    assert (refused.status_code, refused.json["code"]) == (422, "card_code_invalid")
    assert shown not in refused.text
    site.alliance.clock.now += timedelta(seconds=61)
    assert ask(card_code=shown).json["code"] == "card_code_expired"
    keys = app.test_client().get("/.well-known/jwks.json").json["keys"]
    assert [key["purpose"] for key in keys].count("card") == 1
    assert all("d" not in key for key in keys)
    assert CATALOGUE["card_code_used"].status == 409


def test_the_page_shows_a_code_that_a_desk_can_read(site: Site) -> None:
    browser = traveller(site).get("/pool/code")
    assert browser.page.xpath("//noscript//meta[@http-equiv='refresh']") or (
        'http-equiv="refresh"' in browser.text
    )
    svg = browser.page.xpath("//*[@id='code']/*[local-name()='svg']")
    assert len(svg) == 1
    fresh = browser.page.xpath("string(//*[@id='code']/@data-fresh)")
    assert int(browser.page.xpath("string(//*[@id='code']/@data-every)")) < 60
    first = browser.get(fresh)
    assert first.headers["Content-Type"] == "image/svg+xml"
    assert first.headers["Cache-Control"] == "no-store"
    one = first.text
    assert etree.fromstring(one.encode()).tag == "{http://www.w3.org/2000/svg}svg"
    assert browser.get(fresh).text != one
    assert site.stranger().get(fresh).location.startswith("/pool/sign-in")


class Till:
    """A desk without a network: a folder with the published keys, and the command."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "jwks.json"
        self.printed = print_card(site.context, card_of(site), "0013")
        self.refresh(site)

    def refresh(self, site: Site) -> None:
        self.keys.write_bytes(jwks(site.context))

    def run(self, *words: str) -> Result:
        at = self.printed.card.issued_at + timedelta(days=1)
        words = words if "--at" in words else (*words, "--at", at.isoformat())
        return CliRunner().invoke(verify_card_command, [*words, "--keys", str(self.keys)])


@pytest.fixture
def till(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Till:
    found = Till(site, tmp_path)

    def away(*_: object) -> None:
        raise AssertionError("it is offline")

    monkeypatch.setattr(socket.socket, "connect", away)
    return found


def test_a_printed_card_is_proved_offline(till: Till) -> None:
    file = till.folder / "card.txt"
    file.write_text(till.printed.text + "\n")
    for given in (till.printed.text, str(file)):
        result = till.run(given)
        assert result.exit_code == 0, result.output
        for wanted in (
            "有效 OK",
            "****0013",
            "level 2",
            "earn offline",
            "nothing may be spent offline",
        ):
            assert wanted in result.output
    assert "Offline nobody knows" in result.stderr
    keys = json.loads(till.keys.read_text())
    moment = till.printed.card.issued_at
    card = verify_card(keys, till.printed.text, at=moment)
    assert (card.last_digits, card.level, card.floor_minor) == ("0013", 2, 0)
    assert card.expires_at - card.issued_at == timedelta(days=30)


@pytest.mark.parametrize("days", [30, 400])
def test_one_that_has_ended_is_not(till: Till, days: int) -> None:
    at = till.printed.card.issued_at + timedelta(days=days)
    result = till.run(till.printed.text, "--at", at.isoformat())
    assert (result.exit_code, "过期" in result.output) == (1, True)
    with pytest.raises(SignatureInvalid, match="ended"):
        verify_card(json.loads(till.keys.read_text()), till.printed.text, at=at)


def test_one_that_was_forged_is_not(till: Till) -> None:
    keys, at = json.loads(till.keys.read_text()), till.printed.card.issued_at
    for text in (
        changed(till.printed.text, level=5), changed(till.printed.text, exp=4_000_000_000), "x.y.z", "",
        changed(till.printed.text, floor_minor=99), till.printed.text[:-2], "\x00",
    ):  # fmt: skip
        result = till.run(text)
        assert (result.exit_code, "FAILED" in result.output) == (1, True), text
        with pytest.raises(SignatureInvalid):
            verify_card(keys, text, at=at)


def test_one_of_another_key_is_not(till: Till, site: Site) -> None:
    # A key for statements proves no card, whoever signs with it.
    rotate(site.context, STATEMENTS, WHY, compromised=False)
    rotate(site.context, CARD_KEYS, WHY, compromised=False)
    till.refresh(site)
    document = json.loads(till.keys.read_text())
    assert till.run(till.printed.text).exit_code == 0
    for key in document["keys"]:
        key["purpose"] = {"card": "statement", "statement": "card"}[key["purpose"]]
    till.keys.write_text(json.dumps(document))
    result = till.run(till.printed.text)
    assert (result.exit_code, "not among the keys" in result.output) == (1, True)
    with pytest.raises(SignatureInvalid):
        verify_card(document, till.printed.text, at=till.printed.card.issued_at)


def test_one_of_a_withdrawn_key_is_not(till: Till, site: Site) -> None:
    rotate(site.context, CARD_KEYS, WHY, compromised=True)
    till.refresh(site)
    result = till.run(till.printed.text)
    assert (result.exit_code, "compromised" in result.output) == (1, True)
    with pytest.raises(SignatureInvalid, match="compromised"):
        verify_card(
            json.loads(till.keys.read_text()),
            till.printed.text,
            at=till.printed.card.issued_at,
        )


def test_a_shown_code_is_for_looking_up(till: Till, site: Site) -> None:
    shown = show_code(site.context, card_of(site))
    result = till.run(shown.text, "--at", (shown.expires_at - timedelta(seconds=1)).isoformat())
    assert (result.exit_code, "look it up online" in result.output) == (0, True)
    with pytest.raises(SignatureInvalid):
        verify_card(json.loads(till.keys.read_text()), shown.text, at=shown.expires_at)


def test_the_floor_of_the_rulebook_is_on_the_card(site: Site, tmp_path: Path) -> None:
    site.alliance.add(
        {},
        {"version": "v2", "effective_from": "2026-02-01", "offline_floor_minor": 20_000},
    )
    site.alliance.accept("spend", "BAM-HZ", "S1", "T1", "2026-02-02", amount=100)
    till = Till(site, tmp_path)
    assert till.printed.card.floor_minor == 20_000
    assert "at most 200.00" in till.run(till.printed.text).output


def test_wrong_usage(till: Till) -> None:
    assert till.run(till.printed.text, "--at", "tomorrow").exit_code == 2
    assert till.run(till.printed.text, "--at", "2026-11-22T18:00:00").exit_code == 2
    assert PRINTED_TYPE.encode() in compact_jws.decoded(till.printed.text.split(".")[0].encode())
    # What is printed on the page can be typed into a shell.
    assert shlex.quote(till.printed.text) == till.printed.text
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", till.printed.text)
