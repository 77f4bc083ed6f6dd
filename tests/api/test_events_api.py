"""``GET /v1/events``: a system's own events, in order, from any place on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clearinghouse.store import outbox
from tests.alliances import CARDS
from tests.api.service import Caller, Service


@pytest.fixture
def founded() -> None:
    """The import's own event is one of those read here: each test imports."""


def tell(
    service: Service, *numbers: int, system: int | None = 1, kind: str = "card.issued"
) -> None:
    with service.context.database.posting() as session:
        for n in numbers:
            outbox.add(session, service.context.clock(), kind, {"n": n}, system)


def read(caller: Caller, query: str = "") -> dict[str, Any]:
    answer = caller.get(f"/v1/events{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_events_are_read_page_by_page_and_later_from_the_last_one_on(service: Service) -> None:
    tell(service, 1, 2, 3)
    aur = service.client("AUR")
    first = read(aur, "?limit=2")
    assert [row["data"] for row in first["data"]] == [{"n": 1}, {"n": 2}]
    assert set(first["data"][0]) == {"id", "type", "timestamp", "data"}
    assert first["data"][0]["type"] == "card.issued"
    assert first["next_cursor"] == first["data"][-1]["id"]
    second = read(aur, f"?limit=2&after={first['next_cursor']}")
    assert ([row["data"]["n"] for row in second["data"]], second["next_cursor"]) == ([3], None)
    last = second["data"][-1]["id"]
    assert read(aur, f"?after={last}") == {"data": [], "next_cursor": None}
    tell(service, 4)
    assert [row["data"]["n"] for row in read(aur, f"?after={last}")["data"]] == [4]


def test_one_kind_alone(service: Service) -> None:
    tell(service, 1)
    tell(service, 2, kind="card.replaced")
    rows = read(service.client("AUR"), "?kind=card.replaced")["data"]
    assert [row["data"]["n"] for row in rows] == [2]


def test_each_party_sees_its_own(service: Service) -> None:
    tell(service, 1, system=1)
    tell(service, 2, system=2)
    tell(service, 3, system=None)
    seen = [
        [row["data"].get("n") for row in read(caller)["data"]]
        for caller in (service.client("AUR"), service.client("BAM"), service.operator())
    ]
    assert seen == [[1], [2], [None, 3]]  # the operator's first: its import


def test_a_place_that_is_anothers_or_made_up_is_refused(service: Service) -> None:
    tell(service, 1, system=2)
    foreign = read(service.client("BAM"))["data"][0]["id"]
    aur = service.client("AUR")
    for after in (foreign, "evt_" + "a" * 26):
        answer = aur.get(f"/v1/events?after={after}")
        assert (answer.status_code, answer.get_json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    "query",
    ["?after=1", "?after=evt_", "?after=", "?limit=0", "?limit=101", "?limit=x", "?kind=x", "?system=2", "?after=%00"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(service: Service, query: str) -> None:
    answer = service.client("AUR").get(f"/v1/events{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "request_invalid")


def test_who_may_read(service: Service) -> None:
    assert service.anyone().get("/v1/events").status_code == 401
    answer = service.client("AUR", scopes=["cards:read"]).get("/v1/events")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")
    answer = service.client("AUR", hotels=["AUR-BJ"]).get("/v1/events")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "system_client_needed")


def test_an_issuer_hears_where_and_how_much_never_who_or_what(service: Service) -> None:
    service.alliance.accept("spend", "AUR-BJ", "1", "T1", "2026-02-01", amount=100_000)
    service.alliance.clock.pass_to(datetime(2026, 2, 2, 5, tzinfo=UTC))
    stated = {
        "kind": "redeem",
        "host_hotel": "BAM-HZ",
        "txn_ref": "2",
        "card_number": CARDS["T1"],
        "business_date": "2026-02-02",
        "occurred_at": "2026-02-02T12:00:00+08:00",
        "points": 500,
    }
    bam, aur = service.client("BAM"), service.client("AUR")
    assert bam.post("/v1/transactions", json=stated, key="2").status_code == 201
    (host,) = read(bam, "?kind=transaction.posted")["data"]
    (issuer,) = read(aur, "?kind=transaction.posted")["data"]
    assert host["data"]["txn_ref"] == "2"
    told = issuer["data"]
    assert (told["host_hotel"], told["points"]) == ("BAM-HZ", 500)
    assert told["obligation_minor"] > 0
    assert {"txn_ref", "card_id", "card_number", "traveller", "amount_minor"}.isdisjoint(told)
    assert CARDS["T1"] not in str(host) + str(issuer)
    assert read(service.client("CLD"))["data"] == []
