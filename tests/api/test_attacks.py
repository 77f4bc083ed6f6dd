"""Attempts that must fail: getting at what is another system's, by its address, in lists, by looking and by guessing.

Tokens that are forged, expired or meant for another service are ``test_oauth``'s, phones in another spelling
``test_enrolments_api``'s.
"""

import json
import re
from dataclasses import asdict
from typing import Any

import pytest

from clearinghouse.store.database import Session
from tests.alliances import CARDS
from tests.api.attacking import WHEN
from tests.api.lived import TODAY, Lived
from tests.api.service import Caller, Service

#: What an attack could change.
STATE = (
    "SELECT (SELECT count(*) FROM transactions), (SELECT sum(remaining) FROM lots), (SELECT sum(held) FROM lots),"
    " (SELECT count(*) FROM card_states), (SELECT count(*) FROM webhooks WHERE disabled_at IS NULL),"
    " (SELECT count(*) FROM outbox), (SELECT count(*) FROM cards), (SELECT count(*) FROM dispute_steps)"
)


@pytest.fixture
def aur(lived: Lived) -> Caller:
    return lived.callers["AUR"]


OTHERS = [
    ("get", "/v1/transactions/{txn_id}", None),
    ("post", "/v1/transactions/{txn_id}/refund", {"txn_ref": "x", "points": 1, **WHEN}),
    ("get", "/v1/authorizations/{auth_id}", None),
    ("post", "/v1/authorizations/{auth_id}/capture", {"points": 1, **WHEN}),
    ("post", "/v1/authorizations/{auth_id}/void", {}),
    ("get", "/v1/cards/{card_id}", None),
    ("get", "/v1/cards/{card_id}/treatment?hotel={hotel}", None),
    ("get", "/v1/cards/{card_id}/balance?hotel={hotel}", None),
    ("patch", "/v1/cards/{card_id}", {"status": "suspended"}),
    ("post", "/v1/cards/{card_id}/replace", {}),
    ("post", "/v1/enrolments/{enrolment_id}/confirm", {"code": "000000"}),
    ("get", "/v1/batches/{batch_id}", None),
    ("get", "/v1/batches/{batch_id}/results", None),
    ("get", "/v1/webhooks/{webhook_id}", None),
    ("patch", "/v1/webhooks/{webhook_id}", {"enabled": False}),
    ("post", "/v1/webhooks/{webhook_id}/rotate", {}),
    ("post", "/v1/webhooks/{webhook_id}/test", None),
    ("post", "/v1/webhooks/{webhook_id}/replay", {}),
    ("get", "/v1/webhooks/{webhook_id}/deliveries", None),
    ("post", "/v1/webhooks/{webhook_id}/deliveries/{event_id}/resend", None),
    ("delete", "/v1/webhooks/{webhook_id}", None),
    ("get", "/v1/disputes/{dispute_id}", None),
    ("post", "/v1/disputes/{dispute_id}/answer", {"answer": "accept", "text": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "stated"), OTHERS, ids=[f"{method} {path}" for method, path, _ in OTHERS]
)
def test_what_is_anothers_is_not_there(
    lived: Lived, method: str, path: str, stated: dict[str, Any] | None
) -> None:
    """BAM's things, by their own ids, for other members and for the operator; nothing comes of it."""
    sent = {} if stated is None else {"json": stated}
    before = lived.service.alliance.rows(STATE)
    for stranger, hotel in (
        (lived.callers["AUR"], "AUR-BJ"),
        (lived.callers["CLD"], "CLD-GZ"),
        (lived.operator, "AUR-BJ"),
    ):
        # The operator answers disputes about fees, so it is no stranger to this one.
        if stranger is lived.operator and "disputes" in path:
            continue
        ids = {**asdict(lived.ids["BAM"]), "hotel": hotel}
        address = re.sub(r"{(\w+)}", lambda name, ids=ids: ids[name[1]], path)
        answer = stranger.send(method.upper(), address, key="steal", **sent)
        # Nor can it have the scopes of tills.
        allowed = (403, 404) if stranger is lived.operator else (404,)
        assert answer.status_code in allowed, (answer.status_code, answer.text)
        assert "BAM" not in answer.text
    assert lived.service.alliance.rows(STATE) == before


def test_another_systems_events_are_no_place_to_go_on_from(lived: Lived, aur: Caller) -> None:
    foreign = lived.ids["BAM"].event_id
    assert aur.get(f"/v1/events?after={foreign}").json["code"] == "cursor_invalid"
    hook = lived.ids["AUR"].webhook_id
    replayed = aur.post(f"/v1/webhooks/{hook}/replay", json={"after": foreign})
    assert replayed.json["code"] == "cursor_invalid"
    assert aur.post(f"/v1/webhooks/{hook}/deliveries/{foreign}/resend").status_code == 404


def test_lists_hold_nothing_of_anothers(lived: Lived, aur: Caller) -> None:
    others = {value for code in ("BAM", "CLD") for value in asdict(lived.ids[code]).values()} - {
        "2026-10"
    }
    for path in ("transactions", "batches", "webhooks", "events", "periods", "disputes"):
        text = aur.get(f"/v1/{path}?limit=100" if path != "webhooks" else "/v1/webhooks").text
        assert not [value for value in others if value in text], path
    for query in ("host_hotel=BAM-HZ", "txn_ref=o7", f"host_hotel=CLD-GZ&business_date={TODAY}"):
        assert aur.get(f"/v1/transactions?{query}").json["data"] == []


def test_a_statement_is_ones_own(lived: Lived) -> None:
    texts = {
        code: caller.get("/v1/periods/2026-10/statement.csv").text
        for code, caller in lived.callers.items()
    }
    assert len(set(texts.values())) == 3
    for system in ("BAM", "CLD", "operator", "AUR/../BAM", "BAM%2f"):
        for path in (
            f"/v1/periods/2026-10/statement.{system}",
            f"/v1/periods/2026-10/{system}/statement.csv",
            f"/v1/periods/2026-10/statement.csv?system={system}",
            f"/v1/periods/..%2f{system}/statement.csv",
            f"/v1/periods/2026-10/statement.json%2f..%2f{system}.json",
        ):
            answer = lived.callers["AUR"].get(path)
            assert answer.status_code in (404, 405) or answer.text == texts["AUR"], path


def test_a_client_of_a_hotel_gets_nothing_of_the_system(lived: Lived) -> None:
    beijing = lived.service.client("AUR", hotels=["AUR-SH"])
    ids = lived.ids["AUR"]
    for path in (
        f"/v1/transactions/{ids.txn_id}",
        f"/v1/authorizations/{ids.auth_id}",
        f"/v1/batches/{ids.batch_id}",
    ):
        assert beijing.get(path).status_code == 404, path
    assert beijing.post(f"/v1/authorizations/{ids.auth_id}/void", key="v").status_code == 404
    for path in ("/v1/events", "/v1/webhooks", "/v1/periods", "/v1/periods/2026-10/statement.csv"):
        assert beijing.get(path).status_code == 403, path
    assert beijing.get("/v1/transactions?host_hotel=AUR-BJ").json["data"] == []


def test_a_balance_tells_nothing_of_who_issued_the_rest(service: Service) -> None:
    """Two pools that differ only in which other systems issued them look the same to a host."""
    do = service.alliance.accept
    do("award", "CLD-GZ", "1", "T1", "2026-01-05", points=100)
    do("award", "AUR-BJ", "2", "T1", "2026-01-05", points=900)
    do("award", "AUR-BJ", "3", "T2", "2026-01-05", points=400)
    do("award", "AUR-SH", "4", "T2", "2026-01-05", points=300)
    do("award", "CLD-GZ", "5", "T2", "2026-01-05", points=300)
    do("load", "AUR-BJ", "6", "T1", "2026-01-05", amount=500)
    do("load", "CLD-GZ", "7", "T2", "2026-01-05", amount=500)
    bam, seen = service.client("BAM"), []
    for card in ("T1", "T2"):
        found = bam.post("/v1/cards/lookup", json={"card_number": CARDS[card]}).json
        balance = bam.get(f"/v1/cards/{found['card_id']}/balance?hotel=BAM-HZ").json
        told = json.dumps({**balance, "card_id": "", "card_masked": ""}, sort_keys=True)
        assert not re.search("AUR|CLD|issuer|lot", told)
        seen.append(told)
    assert seen[0] == seen[1]


def test_looking_a_card_up_tells_no_stranger_whose_it_is(service: Service) -> None:
    """Cards of two other systems, of one level, look alike; a card that is not there differs in one way only."""
    service.alliance.add(
        {
            "travellers.csv": (("T3", "赵敏", ""),),
            "cards.csv": ((CARDS["T3"], "T3", "AUR-BJ", "A1", "2026-01-05"),),
        }
    )
    bam = service.client("BAM")
    alike = []
    for card in ("T2", "T3"):
        found = bam.post("/v1/cards/lookup", json={"card_number": CARDS[card]}).json
        assert found.pop("card_id")
        assert found.pop("card_masked")
        alike.append(found)
    assert alike[0] == alike[1]


def test_beginning_an_enrolment_asks_the_same_of_the_books_for_everybody(
    lived: Lived, aur: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So not even how long it takes tells who is a member, whose, or of nothing."""
    asked: list[str] = []
    for name in ("rows", "row", "run"):
        method = getattr(Session, name)

        def told(session: Session, sql: str, *more: Any, method: Any = method) -> Any:
            # Keys and revoked clients are read anew now and then, whoever asks for what.
            if not any(
                table in sql for table in ("FROM signing_keys", "FROM clients WHERE revoked")
            ):
                asked.append(sql)
            return method(session, sql, *more)

        monkeypatch.setattr(Session, name, told)
    person = {"hotel": "AUR-BJ", "tier_code": "A1", "name": "王伟"}
    seen = []
    for phone in ("13800138000", "13800138001", "13900139888"):
        asked.clear()
        assert aur.post("/v1/enrolments", json={**person, "phone": phone}).status_code == 201
        seen.append(tuple(asked))
        wrong = f"{(int(lived.codes[-1].code) + 1) % 1_000_000:06}"
        enrolment = lived.service.alliance.value(
            "SELECT enrolment FROM enrolments ORDER BY begun_at DESC LIMIT 1"
        )
        asked.clear()
        answer = aur.post(f"/v1/enrolments/enr_{enrolment.hex}/confirm", json={"code": wrong})
        assert answer.json["code"] == "code_wrong"
        seen.append(tuple(asked))
    assert len(set(seen[::2])) == len(set(seen[1::2])) == 1
    assert len(seen[0]) > 3
