"""The value path over HTTP as a mean engineer would use it: keys, holds, refunds, midnights, closings and bounds."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from clearinghouse.operations.packs.fields import AMOUNT_MAX
from clearinghouse.operations.prove import prove
from tests.api.lived import AT, HOOK, NOW, TODAY, Lived, body
from tests.api.service import Caller, Service

TXNS = "/v1/transactions"
AUTHS = "/v1/authorizations"
WHEN = {"business_date": TODAY, "occurred_at": AT}


def post(caller: Caller, path: str, stated: dict[str, Any], key: str | None = None) -> Any:
    return caller.post(path, json=stated, key=key or f"{path}-{stated.get('txn_ref')}")


def code(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json.get("code")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@pytest.fixture
def cld(lived: Lived) -> Caller:
    return lived.callers["CLD"]


@pytest.fixture(autouse=True)
def sound(lived: Lived) -> Any:
    """After every test the books prove themselves."""
    yield
    assert [proof for proof in prove(lived.service.context) if not proof.holds] == []


def count(lived: Lived, ref: str) -> int:
    return int(
        lived.service.alliance.value("SELECT count(*) FROM transactions WHERE txn_ref = %s", ref)
    )


def test_one_key_at_two_addresses(lived: Lived, cld: Caller) -> None:
    stated = body("redeem", "CLD-GZ", "k1", points=10)
    assert post(cld, TXNS, stated, "two").status_code == 201
    assert code(post(cld, AUTHS, stated, "two")) == (422, "idempotency_key_reused")
    txn = lived.ids["CLD"].txn_id
    refund = {"txn_ref": "k2", "points": 10, **WHEN}
    assert code(post(cld, f"{TXNS}/{txn}/refund", refund, "two")) == (422, "idempotency_key_reused")
    held = lived.ids["CLD"].auth_id
    assert code(cld.post(f"{AUTHS}/{held}/void", key="two")) == (422, "idempotency_key_reused")
    assert cld.get(f"{AUTHS}/{held}").json["state"] == "held"
    assert count(lived, "k2") == 0


def test_a_key_is_each_clients_own(lived: Lived, cld: Caller) -> None:
    other = lived.service.client("CLD")
    first, second = (body("award", "CLD-GZ", ref, points=1) for ref in ("c1", "c2"))
    told = [post(cld, TXNS, first, "mine"), post(other, TXNS, second, "mine")]
    assert [answer.json["txn_ref"] for answer in told] == ["c1", "c2"]
    foreign = post(lived.callers["BAM"], TXNS, body("award", "BAM-HZ", "c3", points=1), "mine")
    assert (foreign.json["txn_ref"], "Idempotent-Replayed" in foreign.headers) == ("c3", False)


def test_the_same_body_in_another_spelling(cld: Caller) -> None:
    stated = body("spend", "CLD-GZ", "s1", amount=500)
    first = post(cld, TXNS, stated, "spelt")
    spellings: list[dict[str, Any]] = [
        dict(reversed(stated.items())),
        {**stated, "amount": {"currency": "CNY", "amount_minor": 500.0}},
        {**stated, "occurred_at": "2026-11-10T03:30:00.000Z"},
        {**stated, "points": None, "card_id": None, "original_txn_ref": None},
    ]
    for spelling in spellings:
        again = post(cld, TXNS, spelling, "spelt")
        assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
        # With another key it is the same transaction, too.
        assert post(cld, TXNS, spelling, "otherwise-spelt").json == first.json
    for change in (
        {"points": 5},
        {"txn_ref": "s1 "},
        {"occurred_at": AT.replace("11:30", "11:31")},
    ):
        assert post(cld, TXNS, {**stated, **change}, "spelt").status_code == 422


@pytest.mark.parametrize("same", [True, False])
def test_one_reference_under_many_keys_at_once(lived: Lived, cld: Caller, same: bool) -> None:
    ref = f"many-{same}"
    answers = at_once(
        [
            lambda n=n: post(cld, TXNS, body("award", "CLD-GZ", ref, points=1 if same else n + 1), f"{ref}{n}")
            for n in range(20)
        ]
    )  # fmt: skip
    told = Counter(code(answer) for answer in answers)
    expected = {(201, None): 20} if same else {(201, None): 1, (409, "txn_ref_reused"): 19}
    assert told == expected
    assert count(lived, ref) == 1


def test_one_key_in_several_processes_at_once(lived: Lived, cld: Caller) -> None:
    callers = [cld, *(Caller(lived.service.beside().http, cld.token) for _ in range(2))]
    stated = body("redeem", "CLD-GZ", "pp", points=7)
    answers = at_once(
        [lambda n=n: post(callers[n % 3], TXNS, stated, "processes") for n in range(30)]
    )
    assert {code(a) for a in answers} <= {(201, None), (409, "idempotency_key_in_flight")}
    assert len({answer.json["id"] for answer in answers if answer.status_code == 201}) == 1
    assert count(lived, "pp") == 1


def test_more_webhooks_at_once_than_there_may_be(cld: Caller) -> None:
    answers = at_once([lambda: cld.post("/v1/webhooks", json={"url": HOOK}) for _ in range(30)])
    assert Counter(answer.status_code for answer in answers) == {201: 19, 409: 11}
    assert len(cld.get("/v1/webhooks").json["data"]) == 20


def test_capture_and_void_at_once(lived: Lived, cld: Caller) -> None:
    for n in range(5):
        held = post(cld, AUTHS, body("redeem", "CLD-GZ", f"cv{n}", points=20)).json["id"]
        path = f"{AUTHS}/{held}"
        capture, void = at_once(
            [
                lambda path=path, n=n: post(cld, f"{path}/capture", {**WHEN, "points": 20}, f"cvc{n}"),
                lambda path=path, n=n: cld.post(f"{path}/void", key=f"cvv{n}"),
            ]
        )  # fmt: skip
        assert (capture.status_code, void.status_code) in ((201, 422), (422, 200))
        state = "captured" if capture.status_code == 201 else "voided"
        assert cld.get(path).json["state"] == state


def test_many_captures_of_one_hold_at_once(lived: Lived, cld: Caller) -> None:
    held = post(cld, AUTHS, body("redeem", "CLD-GZ", "mc", points=30)).json["id"]
    answers = at_once(
        [
            lambda n=n: post(cld, f"{AUTHS}/{held}/capture", {**WHEN, "points": 10, "txn_ref": f"mc{n}"})
            for n in range(10)
        ]
    )  # fmt: skip
    assert Counter(code(a) for a in answers) == {(201, None): 1, (422, "hold_already_captured"): 9}


def test_a_hold_is_not_to_be_misused(lived: Lived, cld: Caller) -> None:
    held = post(cld, AUTHS, body("redeem", "CLD-GZ", "hm", points=50)).json["id"]
    capture = f"{AUTHS}/{held}/capture"
    for key, (stated, refused) in enumerate(
        [
            ({"points": 51}, "exceeds_hold"),
            ({"points": 0}, "amount_not_positive"),
            ({"amount": {"amount_minor": 50}}, "amount_not_positive"),
            ({"points": 5, "business_date": "2026-11-11"}, "business_date_in_future"),
            ({"points": 5, "txn_ref": "n1"}, "txn_ref_reused"),
        ]
    ):
        assert post(cld, capture, {**WHEN, **stated}, f"hm{key}").json["code"] == refused
    # Another transaction takes the reference meanwhile: the hold is captured under another one.
    assert post(cld, TXNS, body("award", "CLD-GZ", "hm", points=1)).status_code == 201
    assert code(post(cld, capture, {**WHEN, "points": 5}, "hm-a")) == (409, "txn_ref_reused")
    taken = post(cld, capture, {**WHEN, "points": 5, "txn_ref": "hm-b"})
    assert (taken.status_code, taken.json["points"]) == (201, 5)
    refund = f"{TXNS}/{taken.json['id']}/refund"
    assert (
        post(cld, refund, {**WHEN, "txn_ref": "hm-c", "points": 6}).json["code"]
        == "exceeds_original"
    )
    back = at_once(
        [
            lambda n=n: post(cld, refund, {**WHEN, "txn_ref": f"hm-r{n}", "points": 2})
            for n in range(6)
        ]
    )
    assert Counter(code(a) for a in back) == {(201, None): 2, (422, "exceeds_original"): 4}
    refused = post(
        cld,
        f"{TXNS}/{back[0].json.get('id', 'txn_x')}/refund",
        {**WHEN, "txn_ref": "rr", "points": 1},
    )
    assert refused.status_code in (404, 422)


def test_a_lost_card_leaves_its_past_behind(service: Service) -> None:
    service.alliance.clock.pass_to(NOW)
    aur = service.client("AUR")
    bought = post(aur, TXNS, body("spend", "AUR-BJ", "l1", amount=10_000)).json
    held = post(aur, AUTHS, body("redeem", "AUR-BJ", "l2", points=40)).json
    new = aur.post(f"/v1/cards/{bought['card_id']}/replace", json={"reason": "lost"})
    assert new.status_code == 201
    service.alliance.clock.pass_to(NOW + timedelta(minutes=30))
    later = {"business_date": TODAY, "occurred_at": "2026-11-10T13:10:00+08:00"}
    old = post(aur, TXNS, {**body("redeem", "AUR-BJ", "l3", points=1), **later})
    assert old.json["code"] == "card_not_active"
    again = {**later, "txn_ref": "l4", "amount": {"amount_minor": 4_000}}
    refund = post(aur, f"{TXNS}/{bought['id']}/refund", again)
    assert refund.status_code == 201, refund.json
    by_line = {**body("refund", "AUR-BJ", "l6", amount=1_000), **later, "original_txn_ref": "l1"}
    assert post(aur, TXNS, by_line).json["code"] == "card_not_active"
    by_line = {**by_line, "card_number": None, "card_id": new.json["card_id"]}
    assert post(aur, TXNS, by_line, "l6-again").status_code == 201
    capture = post(aur, f"{AUTHS}/{held['id']}/capture", {**later, "points": 40})
    assert capture.status_code == 201, capture.json
    used = {**body("redeem", "AUR-BJ", "l5", points=1), **later, "card_id": new.json["card_id"]}
    del used["card_number"]
    assert post(aur, TXNS, used).status_code == 201
    assert all(proof.holds for proof in prove(service.context))


def test_amounts_at_their_bounds(cld: Caller, lived: Lived) -> None:
    made = []
    for ref, kind, what in (
        ("b1", "spend", "amount"),
        ("b2", "load", "amount"),
        ("b3", "stored_value_spend", "amount"),
        ("b4", "award", "points"),
        ("b5", "redeem", "points"),
    ):
        answer = post(cld, TXNS, body(kind, "CLD-GZ", ref, "T2", **{what: AMOUNT_MAX}))
        assert answer.status_code == 201, (kind, answer.json)
        made.append((answer.json["id"], ref, what))
        for wrong in (AMOUNT_MAX + 1, -1, 1.5, True, "1", 1e300):
            stated = body(kind, "CLD-GZ", f"{ref}x", "T2", **{what: wrong})
            assert post(cld, TXNS, stated).json["code"] == "request_invalid"
        nothing = body(kind, "CLD-GZ", f"{ref}0", "T2", **{what: 0})
        assert post(cld, TXNS, nothing).json["code"] == "amount_not_positive"
    card = lived.ids["CLD"].card_id
    assert cld.get(f"/v1/cards/{card}/balance?hotel=CLD-GZ").status_code == 200
    for txn, ref, what in reversed(made):
        whole = {"amount_minor": AMOUNT_MAX} if what == "amount" else AMOUNT_MAX
        stated = {**WHEN, "txn_ref": f"{ref}r", what: whole}
        assert post(cld, f"{TXNS}/{txn}/refund", stated).status_code == 201
