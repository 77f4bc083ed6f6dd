"""Transactions over HTTP: answers that explain themselves, idempotency, and the walls between systems."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from clearinghouse.operations.prove import prove
from tests.alliances import CARDS
from tests.api.service import Caller, Service

NOW = datetime(2026, 11, 10, 4, tzinfo=UTC)


@pytest.fixture
def service(service: Service) -> Service:
    """The tenth of November 2026; T1 has 1,200 points of AUR-SH and 1,333 of BAM-HZ (domain.md §6)."""
    service.alliance.accept("spend", "AUR-SH", "1", "T1", "2026-11-02", amount=120_000)
    service.alliance.accept("spend", "BAM-HZ", "2", "T1", "2026-11-03", amount=88_888)
    service.alliance.clock.pass_to(NOW)
    return service


def body(kind: str, host: str, ref: str, card: str = "T1", **more: Any) -> dict[str, Any]:
    amount = more.pop("amount", None)
    stated = {"amount": {"amount_minor": amount}} if amount is not None else {}
    return {
        "kind": kind,
        "host_hotel": host,
        "txn_ref": ref,
        "card_number": CARDS[card],
        "business_date": "2026-11-10",
        "occurred_at": "2026-11-10T11:30:00+08:00",
        **stated,
        **more,
    }


def post(caller: Caller, stated: dict[str, Any], key: str | None = None) -> Any:
    return caller.post("/v1/transactions", json=stated, key=key or stated["txn_ref"])


def sound(service: Service) -> bool:
    return all(proof.holds for proof in prove(service.context))


def test_a_redemption_tells_all_that_explains_it(service: Service) -> None:
    answer = post(service.client("CLD"), body("redeem", "CLD-GZ", "3", points=2_000))
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert [(lot["issuer_hotel"], lot["points"]) for lot in told["lots"]] == [
        ("AUR-SH", -1_200),
        ("BAM-HZ", -800),
    ]
    assert [
        (leg["issuer_system"], leg["obligation"]["amount_minor"], leg["fee"]["amount_minor"])
        for leg in told["legs"]
    ] == [("AUR", 1_200, 24), ("BAM", 800, 16)]
    assert {leg["reason"] for leg in told["legs"]} == {"cross_system"}
    assert told["legs"][0]["explanation"] == {
        "zh": "跨系统，12.00 元 × 2% = 0.24 元",
        "en": "across systems: ¥12.00 × 2% = ¥0.24",
    }
    assert told["fee"] == {"amount_minor": 40, "currency": "CNY"}
    assert told["till"]["zh"] == "已用 2,000 积分，抵 20.00 元"
    assert told["rulebook_version"] == "v1"
    assert told["period"] == "2026-11"
    assert CARDS["T1"] not in answer.text


def test_what_is_read_back_is_what_was_answered(service: Service) -> None:
    cld = service.client("CLD")
    told = post(cld, body("redeem", "CLD-GZ", "3", points=2_000)).json
    assert cld.get(f"/v1/transactions/{told['id']}").json == told
    assert cld.get("/v1/transactions").json == {"data": [told], "next_cursor": None}


def test_own_points_cost_nothing_and_say_why(service: Service) -> None:
    told = post(service.client("BAM"), body("redeem", "BAM-HZ", "4", points=1_300)).json
    own = [leg for leg in told["legs"] if leg["issuer_system"] == "BAM"]
    assert [leg["fee"]["amount_minor"] for leg in own] == [0]
    assert own[0]["reason"] == "own_system"
    assert own[0]["explanation"]["en"] == "inside one system: no exchange, no fee"


def test_every_kind_and_its_refund(service: Service) -> None:
    aur = service.client("AUR")
    for stated in (
        body("spend", "AUR-BJ", "K1", amount=10_000),
        body("award", "AUR-BJ", "K2", points=50),
        body("load", "AUR-BJ", "K3", amount=50_000),
        body("stored_value_spend", "AUR-SH", "K4", amount=20_000),
        body("redeem", "AUR-SH", "K5", points=100),
    ):
        answer = post(aur, stated)
        assert answer.status_code == 201, answer.json
        refund = {
            "txn_ref": f"R-{stated['txn_ref']}",
            "business_date": "2026-11-10",
            "occurred_at": "2026-11-10T11:40:00+08:00",
            "points": 10 if stated["kind"] in ("award", "redeem") else None,
            "amount": None if stated["kind"] in ("award", "redeem") else {"amount_minor": 1_000},
        }
        undone = aur.post(
            f"/v1/transactions/{answer.json['id']}/refund", json=refund, key=refund["txn_ref"]
        )
        assert undone.status_code == 201, undone.json
        assert undone.json["original"] == {"id": answer.json["id"], "txn_ref": stated["txn_ref"]}
    by_line = post(aur, body("refund", "AUR-BJ", "K6", amount=9_000, original_txn_ref="K1"))
    assert by_line.status_code == 201
    assert sound(service)


def test_the_same_key_gets_the_first_answer(service: Service) -> None:
    cld = service.client("CLD")
    stated = body("redeem", "CLD-GZ", "3", points=2_000)
    first, again = post(cld, stated, "k"), post(cld, dict(reversed(stated.items())), "k")
    assert again.data == first.data
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = post(cld, {**stated, "points": 1}, "k")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_a_refusal_is_a_first_answer_too(service: Service) -> None:
    cld = service.client("CLD")
    stated = body("redeem", "CLD-GZ", "3", points=9_000)
    first = post(cld, stated, "k")
    assert (first.status_code, first.json["code"]) == (422, "insufficient_points")
    assert first.json["till"] == {"zh": "可用积分不足", "en": "Not enough points are available"}
    service.alliance.accept("award", "CLD-GZ", "A", "T1", "2026-11-10", points=9_000)
    again = post(cld, stated, "k")
    assert (again.status_code, again.data) == (422, first.data)
    assert post(cld, stated, "k2").status_code == 201


def test_another_key_gets_the_transaction_that_is_there(service: Service) -> None:
    cld = service.client("CLD")
    stated = body("redeem", "CLD-GZ", "3", points=2_000)
    first, second = post(cld, stated, "k"), post(cld, stated, "k2")
    assert (second.status_code, second.json) == (201, first.json)
    reused = post(cld, {**stated, "points": 1}, "k3")
    assert (reused.status_code, reused.json["code"]) == (409, "txn_ref_reused")


@pytest.mark.parametrize("key", ["", "日本", "a" * 256, "a b"])
def test_a_key_is_needed_and_sane(service: Service, key: str) -> None:
    stated = body("redeem", "CLD-GZ", "3", points=1)
    answer = service.client("CLD").post(
        "/v1/transactions",
        json=stated,
        headers={"Idempotency-Key": key.encode("utf-8").decode("latin-1")},
    )
    assert answer.status_code == 400
    assert answer.json["code"].startswith("idempotency_key_")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"business_date": "2026-11-11"}, "business_date_in_future"),
        (
            {"business_date": "2026-08-01", "occurred_at": "2026-08-01T12:00:00+08:00"},
            "presentment_too_late",
        ),
        ({"occurred_at": "2026-11-08T12:00:00+08:00"}, "business_date_mismatch"),
        ({"occurred_at": "2026-11-10T23:00:00+08:00"}, "occurred_at_in_future"),
        ({"occurred_at": "2026-11-11T12:00:00+08:00"}, "occurred_at_in_future"),
        ({"host_hotel": "BAM-HZ"}, "hotel_not_yours"),
        ({"host_hotel": "XXX-YY"}, "hotel_unknown"),
        ({"card_number": "6277810000000054"}, "card_unknown"),
        ({"card_number": None, "card_id": "card_" + "a" * 26}, "card_unknown"),
        ({"points": 0}, "amount_not_positive"),
    ],
)
def test_refusals_have_their_codes(service: Service, change: dict[str, Any], code: str) -> None:
    stated = {**body("redeem", "CLD-GZ", "3", points=100), **change}
    answer = post(service.client("CLD"), {k: v for k, v in stated.items() if v is not None})
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_hotel_client_speaks_for_its_hotels_only(service: Service) -> None:
    beijing = service.client("AUR", hotels=["AUR-BJ"])
    answer = post(beijing, body("award", "AUR-SH", "3", points=1))
    assert answer.json["code"] == "hotel_not_yours"
    told = post(service.client("AUR"), body("award", "AUR-SH", "4", points=1)).json
    assert beijing.get(f"/v1/transactions/{told['id']}").status_code == 404
    assert beijing.get("/v1/transactions").json["data"] == []


def test_nothing_of_another_systems_history_shows(service: Service) -> None:
    told = post(service.client("CLD"), body("redeem", "CLD-GZ", "3", points=2_000)).json
    aur = service.client("AUR")
    assert aur.get(f"/v1/transactions/{told['id']}").status_code == 404
    assert told["id"] not in aur.get("/v1/transactions").text
    refund = {
        "txn_ref": "X",
        "business_date": "2026-11-10",
        "occurred_at": "2026-11-10T12:00:00+08:00",
        "points": 1,
    }
    stolen = aur.post(f"/v1/transactions/{told['id']}/refund", json=refund, key="x")
    assert stolen.status_code == 404


def test_a_card_id_of_another_system_opens_nothing(service: Service) -> None:
    told = post(service.client("CLD"), body("redeem", "CLD-GZ", "3", points=1)).json
    stated = body("redeem", "BAM-HZ", "4", points=1)
    del stated["card_number"]
    answer = post(service.client("BAM"), {**stated, "card_id": told["card_id"]})
    assert answer.json["code"] == "card_unknown"
    own = body("redeem", "CLD-GZ", "5", points=1)
    del own["card_number"]
    assert post(service.client("CLD"), {**own, "card_id": told["card_id"]}).status_code == 201


def test_pages_follow_each_other(service: Service) -> None:
    cld = service.client("CLD")
    ids = [post(cld, body("award", "CLD-GZ", f"P{n}", points=1)).json["id"] for n in range(5)]
    seen, cursor = [], ""
    while True:
        page = cld.get(f"/v1/transactions?limit=2{cursor}").json
        seen += [row["id"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids[::-1]
    tampered = cld.get(f"/v1/transactions?limit=2{cursor[:-4]}AAAA")
    assert (tampered.status_code, tampered.json["code"]) == (400, "cursor_invalid")
    foreign = service.client("AUR").get(f"/v1/transactions?limit=2{cursor}")
    assert foreign.json["code"] == "cursor_invalid"


def test_a_hold_is_captured_read_and_voided(service: Service) -> None:
    cld = service.client("CLD")
    held = cld.post(
        "/v1/authorizations", json=body("redeem", "CLD-GZ", "H1", points=1_500), key="h1"
    )
    assert held.status_code == 201, held.json
    assert (held.json["state"], held.json["points"]) == ("held", 1_500)
    path = f"/v1/authorizations/{held.json['id']}"
    now = {"business_date": "2026-11-10", "occurred_at": "2026-11-10T12:00:00+08:00"}
    captured = cld.post(f"{path}/capture", json={**now, "points": 1_000}, key="c1")
    assert captured.status_code == 201, captured.json
    assert (captured.json["txn_ref"], captured.json["points"]) == ("H1", 1_000)
    seen = cld.get(path).json
    assert (seen["state"], seen["captured_points"], seen["transaction"]) == (
        "captured", 1_000, captured.json["id"],
    )  # fmt: skip
    assert cld.post(f"{path}/void", key="v1").json["code"] == "hold_already_captured"
    second = cld.post(
        "/v1/authorizations", json=body("redeem", "CLD-GZ", "H2", points=500), key="h2"
    ).json
    path = f"/v1/authorizations/{second['id']}"
    assert service.client("AUR").post(f"{path}/void", key="v2").status_code == 404
    for key in ("v3", "v3", "v4"):
        voided = cld.post(f"{path}/void", key=key)
        assert (voided.status_code, voided.json["state"]) == (200, "voided")
    refused = cld.post(f"{path}/capture", json={**now, "points": 1}, key="c2")
    assert refused.json["code"] == "hold_already_voided"
    assert sound(service)


def test_a_process_that_has_just_started_reads_and_captures(service: Service) -> None:
    """What it knows of the alliance it must not read as one member, who may not see all of it."""
    cld = service.client("CLD")
    told = cld.post(
        "/v1/authorizations", json=body("redeem", "CLD-GZ", "H1", points=10), key="h"
    ).json
    now = {"business_date": "2026-11-10", "occurred_at": "2026-11-10T12:00:00+08:00", "points": 10}
    calls: tuple[tuple[str, str, dict[str, Any], int], ...] = (
        ("GET", "/v1/transactions", {}, 200),
        ("GET", f"/v1/authorizations/{told['id']}", {}, 200),
        ("POST", f"/v1/authorizations/{told['id']}/capture", {"json": now, "key": "c"}, 201),
    )
    for method, path, sent, status in calls:
        service.context.directory._directory = None
        answer = cld.send(method, path, **sent)
        assert answer.status_code == status, answer.json


def test_events_tell_each_party_its_part(service: Service) -> None:
    post(service.client("CLD"), body("redeem", "CLD-GZ", "3", points=2_000))
    rows = service.alliance.rows(
        "SELECT s.code, o.payload FROM outbox o JOIN systems s ON s.number = o.system"
        " WHERE o.kind = 'transaction.posted' ORDER BY o.number"
    )
    assert [code for code, _ in rows] == ["CLD", "AUR", "BAM"]
    assert rows[0][1]["txn_ref"] == "3"
    assert rows[1][1] | {"transaction": ""} == {
        "transaction": "", "kind": "redeem", "host_hotel": "CLD-GZ", "issuer_hotel": "AUR-SH",
        "business_date": "2026-11-10", "points": 1_200, "obligation_minor": 1_200,
    }  # fmt: skip


def test_fifty_times_the_same_key_at_once_posts_once(service: Service) -> None:
    cld = service.client("CLD")
    stated = body("redeem", "CLD-GZ", "3", points=2_000)
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: post(cld, stated, "k"), range(50)))
    codes = {answer.status_code for answer in answers}
    assert codes <= {201, 409}
    told = {answer.json["id"] for answer in answers if answer.status_code == 201}
    assert len(told) == 1
    assert service.alliance.value("SELECT count(*) FROM transactions WHERE kind = 'redeem'") == 1
    assert sound(service)


def test_two_hundred_redemptions_of_one_pool_spend_no_point_twice(service: Service) -> None:
    callers = {
        "CLD-GZ": service.client("CLD"),
        "BAM-HZ": service.client("BAM"),
        "AUR-BJ": service.client("AUR"),
    }
    hosts = list(callers)

    def redeem(number: int) -> int:
        host = hosts[number % 3]
        return int(post(callers[host], body("redeem", host, f"N{number}", points=20)).status_code)

    with ThreadPoolExecutor(40) as pool:
        codes = list(pool.map(redeem, range(200)))
    assert codes.count(201) == (1_200 + 1_333) // 20
    assert set(codes) == {201, 422}
    assert service.alliance.value("SELECT sum(remaining) FROM lots") == (1_200 + 1_333) % 20
    assert sound(service)
