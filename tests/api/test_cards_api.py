"""``/v1/cards`` over HTTP: who sees what of a card, and who may change it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.alliances import CARDS
from tests.api.service import Caller, Service

NOON = datetime(2026, 11, 3, 4, tzinfo=UTC)
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def aur(service: Service) -> Caller:
    """AUR, at noon of 2026-11-03."""
    service.alliance.clock.pass_to(NOON)
    return service.client("AUR")


@pytest.fixture
def bam(service: Service, aur: Caller) -> Caller:
    return service.client("BAM")


def look_up(caller: Caller, name: str = "T1", **sent: Any) -> Any:
    answer = caller.post("/v1/cards/lookup", json={"card_number": CARDS[name]}, **sent)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_own_card(aur: Caller) -> None:
    found = look_up(aur)
    assert (found["card_masked"], found["status"]) == ("627781******0013", "active")
    assert found["own"] == {
        "issuer_hotel": "AUR-BJ",
        "issued_on": "2026-01-05",
        "tiers": [
            {
                "tier_code": "A2",
                "name_zh": "金卡",
                "name_en": "Gold",
                "alliance_level": 2,
                "given_on": "2026-01-05",
            }
        ],
        "holder_name": "李芳",
        "holder_phone_masked": "******8000",
        "status_since": None,
        "status_reason": None,
        "replaced_by": None,
    }
    assert aur.get(f"/v1/cards/{found['card_id']}").json == found


def test_a_visiting_card_has_no_holder(bam: Caller) -> None:
    found = look_up(bam)
    assert (found["own"], found["is_own_system"]) == (None, False)
    told = json.dumps(found, ensure_ascii=False)
    assert not any(word in told for word in ("AUR", "李芳", CARDS["T1"]))
    assert found["treatment"]["tier_code"] == "B2"


def test_treatment_in_the_readers_language(bam: Caller) -> None:
    path = f"/v1/cards/{look_up(bam)['card_id']}/treatment?hotel=BAM-HZ"
    here = bam.get(path)
    assert here.headers["Content-Language"] == "zh"
    assert here.json["sentence"] == "来访会员，联盟级别 2，享受本系统“金卡”的待遇"
    english = bam.get(path, headers=ENGLISH)
    assert english.headers["Content-Language"] == "en"
    assert english.headers["Vary"] == "Accept-Language"
    assert english.json == {
        "system": "BAM",
        "business_date": "2026-11-03",
        "tier_code": "B2",
        "name_zh": "金卡",
        "name_en": "Gold",
        "alliance_level": 2,
        "card_level": 2,
        "benefits": [],
        "earn_points_per_yuan": "1.5",
        "discount_percent": 5,
        "rulebook_version": "v1",
        "reason": "reciprocal",
        "sentence": "A visiting card of alliance level 2: treated as this system's Gold",
    }


def test_the_balance_without_its_issuers(service: Service, bam: Caller) -> None:
    accept = service.alliance.accept
    accept("award", "BAM-HZ", "1", "T1", "2026-11-03", points=600)
    accept("award", "AUR-SH", "2", "T1", "2026-11-02", points=300)
    accept("load", "AUR-BJ", "3", "T1", "2026-11-03", amount=50_000)
    found = bam.get(f"/v1/cards/{look_up(bam)['card_id']}/balance?hotel=BAM-HZ").json
    assert found["points"] == {
        "usable": 900,
        "own_system": 600,
        "worth": {"amount_minor": 900, "currency": "CNY"},
        "pending": 0,
        "held": 0,
        "owed": 0,
        "becoming_usable": [],
        "expiring": [{"expires_on": "2027-11-30", "points": 900}],
    }
    assert found["stored_value"]["usable"] == {"amount_minor": 50_000, "currency": "CNY"}
    assert found["stored_value"]["own_system"]["amount_minor"] == 0
    assert found["why_not"] == []
    assert "AUR" not in json.dumps(found)


def test_why_not_more_in_the_readers_language(service: Service, aur: Caller) -> None:
    service.alliance.accept("award", "AUR-SH", "1", "T1", "2026-11-02", points=300)
    card_id = look_up(aur)["card_id"]
    assert aur.patch(f"/v1/cards/{card_id}", json={"status": "suspended"}).status_code == 200
    path = f"/v1/cards/{card_id}/balance?hotel=AUR-BJ"
    (why, _) = aur.get(path, headers=ENGLISH).json["why_not"]
    assert why == {
        "asset": "points",
        "code": "card_not_active",
        "amount": 300,
        "sentence": "The card was not active when this happened",
    }


@pytest.mark.parametrize("hotel", ["BAM-HZ", "CLD-GZ"])
@pytest.mark.parametrize("what", ["treatment", "balance"])
def test_only_at_ones_own_hotel(aur: Caller, hotel: str, what: str) -> None:
    answer = aur.get(f"/v1/cards/{look_up(aur)['card_id']}/{what}?hotel={hotel}")
    assert (answer.status_code, answer.json["code"]) == (422, "hotel_not_yours")


def test_another_systems_card_can_not_be_changed(
    service: Service, aur: Caller, bam: Caller
) -> None:
    own, theirs = look_up(aur)["card_id"], look_up(bam)["card_id"]
    for card_id in (own, theirs):
        for answer in (
            bam.patch(f"/v1/cards/{card_id}", json={"status": "suspended"}),
            bam.patch(f"/v1/cards/{card_id}", json={"tier_code": "B1"}),
            bam.post(f"/v1/cards/{card_id}/replace", json={}),
        ):
            assert (answer.status_code, answer.json["code"]) == (404, "card_unknown")
    assert bam.get(f"/v1/cards/{own}").status_code == 404
    assert bam.get(f"/v1/cards/{own}/balance?hotel=BAM-HZ").status_code == 404
    assert look_up(aur)["status"] == "active"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("issuer_hotel", "AUR-SH"),
        ("alliance_level", 99),
        ("traveller", 1),
        ("card_number", CARDS["T3"]),
        ("is_own_system", True),
        ("replaced_by", "card_x"),
    ],
)
def test_what_is_not_to_be_changed_is_refused(aur: Caller, member: str, value: object) -> None:
    card_id = look_up(aur)["card_id"]
    answer = aur.patch(f"/v1/cards/{card_id}", json={"status": "active", member: value})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{member}"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "replaced"},
        {"status": "ACTIVE"},
        {"status": None},
        {"tier_from": "2026-12-01"},
        {"tier_code": ["A1"]},
        {"tier_code": "A1", "tier_from": "1.12.2026"},
    ],
)
def test_a_change_that_makes_no_sense(aur: Caller, body: dict[str, Any]) -> None:
    answer = aur.patch(f"/v1/cards/{look_up(aur)['card_id']}", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "request_invalid")


def test_another_tier(aur: Caller) -> None:
    card_id = look_up(aur)["card_id"]
    changed = aur.patch(f"/v1/cards/{card_id}", json={"tier_code": "A1", "tier_from": "2026-12-01"})
    assert changed.status_code == 200, changed.text
    given = [(tier["tier_code"], tier["given_on"]) for tier in changed.json["own"]["tiers"]]
    assert given == [("A2", "2026-01-05"), ("A1", "2026-12-01")]
    unknown = aur.patch(f"/v1/cards/{card_id}", json={"tier_code": "B1"})
    assert (unknown.status_code, unknown.json["code"]) == (422, "tier_unknown")


def test_a_suspended_card_is_refused_while_an_older_line_passes(
    service: Service, aur: Caller, bam: Caller
) -> None:
    service.alliance.clock.pass_to(NOON + timedelta(minutes=30))
    suspended = aur.patch(
        f"/v1/cards/{look_up(aur)['card_id']}", json={"status": "suspended", "reason": "lost"}
    )
    assert suspended.json["own"]["status_reason"] == "lost"
    service.alliance.clock.pass_to(NOON + timedelta(minutes=40))

    def spend(ref: str, minute: int) -> Any:
        body = {
            "kind": "spend",
            "host_hotel": "BAM-HZ",
            "txn_ref": ref,
            "card_number": CARDS["T1"],
            "business_date": "2026-11-03",
            "occurred_at": (NOON + timedelta(minutes=minute)).isoformat(),
            "amount": {"amount_minor": 10_000, "currency": "CNY"},
        }
        return bam.post("/v1/transactions", json=body, key=ref)

    assert spend("before", 29).status_code == 201
    refused = spend("after", 31)
    assert (refused.status_code, refused.json["code"]) == (422, "card_not_active")
    assert look_up(bam)["treatment"] is None


def test_a_lost_card_is_replaced_once(aur: Caller, bam: Caller) -> None:
    old = look_up(aur)["card_id"]
    body = {"card_number": CARDS["T3"], "reason": "stolen"}
    first = aur.post(f"/v1/cards/{old}/replace", json=body)
    assert first.status_code == 201, first.text
    assert (first.json["card_masked"], first.json["status"]) == ("627781******0039", "active")
    assert aur.post(f"/v1/cards/{old}/replace", json=body).json == first.json
    gone = look_up(aur)
    assert (gone["status"], gone["own"]["replaced_by"]) == ("replaced", first.json["card_id"])
    again = aur.patch(f"/v1/cards/{old}", json={"status": "active"})
    assert (again.status_code, again.json["code"]) == (409, "card_state_conflict")
    taken = aur.post(
        f"/v1/cards/{first.json['card_id']}/replace", json={"card_number": CARDS["T2"]}
    )
    assert (taken.status_code, taken.json["code"]) == (409, "card_number_taken")
    assert CARDS["T2"] not in taken.text


def test_an_unknown_number(aur: Caller) -> None:
    answer = aur.post("/v1/cards/lookup", json={"card_number": CARDS["T3"]})
    assert (answer.status_code, answer.json["code"]) == (404, "card_unknown")
    assert CARDS["T3"] not in answer.text


@pytest.mark.parametrize("card_id", ["x", "card_", "card_" + "a" * 26, "' OR 1=1", "%00", "é"])
def test_an_unknown_id(aur: Caller, card_id: str) -> None:
    for path in ("", "/treatment?hotel=AUR-BJ", "/balance?hotel=AUR-BJ"):
        assert aur.get(f"/v1/cards/{card_id}{path}").status_code == 404
    assert aur.patch(f"/v1/cards/{card_id}", json={"status": "active"}).status_code == 404


def test_the_scopes(service: Service, aur: Caller) -> None:
    card_id = look_up(aur)["card_id"]
    reader = service.client("AUR", scopes=["cards:read"])
    assert reader.get(f"/v1/cards/{card_id}").status_code == 200
    for answer in (
        reader.patch(f"/v1/cards/{card_id}", json={"status": "suspended"}),
        reader.post(f"/v1/cards/{card_id}/replace", json={}),
        service.client("AUR", scopes=["cards:write"]).get(f"/v1/cards/{card_id}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")
    assert service.anyone().get(f"/v1/cards/{card_id}").status_code == 401
