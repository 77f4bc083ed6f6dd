"""Business days and months over HTTP, where they turn: at midnight, and while a month is closed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from clearinghouse.operations.prove import prove
from tests.api.lived import body
from tests.api.service import Caller, Service

TXNS = "/v1/transactions"


def post(caller: Caller, stated: dict[str, Any], key: str | None = None) -> Any:
    return caller.post(TXNS, json=stated, key=key or stated["txn_ref"])


MIDNIGHT = datetime(2026, 11, 30, 16, tzinfo=UTC)


@pytest.fixture
def eve(service: Service) -> Service:
    """A second before midnight of the last of November in China."""
    service.alliance.accept("award", "CLD-GZ", "seed", "T2", "2026-11-30", points=1_000)
    service.alliance.clock.pass_to(MIDNIGHT - timedelta(seconds=1))
    return service


@pytest.mark.parametrize(
    ("day", "moment", "refused"),
    [
        ("2026-11-30", "2026-11-30T23:59:59+08:00", None),
        ("2026-11-29", "2026-11-30T00:00:00+08:00", None),
        ("2026-11-29", "2026-11-30T23:59:59+08:00", None),
        ("2026-11-28", "2026-11-30T00:00:00+08:00", "business_date_mismatch"),
        ("2026-11-30", "2026-11-30T15:59:59Z", None),
        ("2026-11-30", "2026-11-30T05:59:59-10:00", None),
        ("2026-11-30", "2026-11-29T23:59:59+08:00", "business_date_mismatch"),
        ("2026-12-01", "2026-12-01T00:00:00+08:00", "business_date_in_future"),
        ("2026-12-01", "2026-11-30T16:00:00Z", "business_date_in_future"),
    ],
)  # fmt: skip
def test_before_midnight(eve: Service, day: str, moment: str, refused: str | None) -> None:
    stated = {
        **body("redeem", "CLD-GZ", "m", "T2", points=1),
        "business_date": day,
        "occurred_at": moment,
    }
    if day == "2026-11-29":
        eve.alliance.accept("award", "CLD-GZ", "seed29", "T2", "2026-11-29", points=10)
    answer = post(eve.client("CLD"), stated)
    assert answer.json.get("code") == refused
    assert answer.status_code == (422 if refused else 201)


def test_the_month_turns_while_the_till_is_open(eve: Service) -> None:
    cld = eve.client("CLD")
    late = {
        **body("redeem", "CLD-GZ", "t1", "T2", points=1),
        "business_date": "2026-12-01",
        "occurred_at": "2026-11-30T16:00:01Z",
    }
    assert post(cld, late, "t-a").json["code"] == "business_date_in_future"
    eve.alliance.clock.pass_to(MIDNIGHT + timedelta(seconds=2))
    # The refusal was the answer to its key; the till asks again with another one.
    assert post(cld, late, "t-a").json["code"] == "business_date_in_future"
    told = post(cld, late, "t-b").json
    assert (told["period"], told["late"]) == ("2026-12", False)
    night = {**late, "txn_ref": "t2", "business_date": "2026-11-30"}
    assert post(cld, night).json["period"] == "2026-11"


def test_a_month_is_closed_while_tills_post(service: Service) -> None:
    service.alliance.accept("award", "CLD-GZ", "seed", "T2", "2026-11-29", points=100_000)
    service.alliance.clock.pass_to(datetime(2026, 12, 4, 16, tzinfo=UTC))
    callers = {
        "CLD-GZ": service.client("CLD"),
        "AUR-BJ": service.client("AUR"),
        "BAM-HZ": service.client("BAM"),
    }
    stop, told = Event(), []

    def till(host: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            stated = {
                **body("redeem", host, f"{host}{number}", "T2", points=3),
                "business_date": "2026-11-30",
                "occurred_at": "2026-11-30T12:00:00+08:00",
            }
            told.append(post(callers[host], stated))

    with ThreadPoolExecutor(3) as pool:
        tills = [pool.submit(till, host) for host in callers]
        service.alliance.settle("2026-11")
        stop.set()
        for each in tills:
            each.result()
    assert {answer.status_code for answer in told} == {201}
    assert {(answer.json["period"], answer.json["late"]) for answer in told} <= {
        ("2026-11", False),
        ("2026-12", True),
    }
    in_books = {
        f"txn_{row[0].hex}"
        for row in service.alliance.rows("SELECT txn_id FROM transactions WHERE kind = 'redeem'")
    }
    assert {answer.json["id"] for answer in told} == in_books
    closed = service.alliance.value(
        "SELECT coalesce(sum(count), 0) FROM obligations WHERE period = 202611"
    )
    assert closed >= 0
    assert all(proof.holds for proof in prove(service.context))
