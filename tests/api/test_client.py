"""The Python client against the application behind a socket, on a line on which things go wrong."""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest
import urllib3

from clearinghouse.client import (
    ClearinghouseProblem,
    Client,
    NoAnswer,
    Retry,
)
from tests.alliances import CARDS
from tests.api.calling import AT, DAY, client_of, redeem
from tests.api.service import Service
from tests.api.wire import (
    Fault,
    cut_short,
    instead,
    lost_after,
    lost_before,
    problem,
    slow,
)
from tests.api.wire import Line as Wire


def posted(service: Service) -> int:
    return int(service.alliance.value("SELECT count(*) FROM transactions WHERE kind = 'redeem'"))


AGAIN: dict[str, list[Fault]] = {
    "lost before": [lost_before],
    "lost after": [lost_after],
    "cut short": [cut_short],
    "unavailable": [instead(problem(503, "database_unavailable"))],
    "a gateway": [instead(problem(502, "")), instead(problem(504, ""))],
    "too many": [instead(problem(429, "rate_limited", **{"Retry-After": "0"}))],
    "in flight": [instead(problem(409, "idempotency_key_in_flight"))],
    "all at once": [lost_after, instead(problem(503, "x")), lost_after],
}


@pytest.mark.parametrize("case", AGAIN)
def test_the_same_key_is_used_again_and_one_transaction_is_posted(
    service: Service, wire: Wire, cld: Client, case: str
) -> None:
    wire.faults.extend(AGAIN[case])
    told = redeem(cld)
    assert (told.points, told.till.zh) == (2_000, "已用 2,000 积分，抵 20.00 元")
    assert len(wire.keys()) == len(AGAIN[case]) + 1
    assert len(set(wire.keys())) == 1
    assert told.replayed == (lost_after in AGAIN[case] or cut_short in AGAIN[case])
    assert posted(service) == 1


def test_an_answer_that_takes_too_long_is_asked_for_again(service: Service, wire: Wire) -> None:
    timeout = urllib3.Timeout(connect=5, read=0.7)
    with client_of(service, wire, timeout=timeout) as client:
        list(client.hotels.list())
        wire.faults.append(slow(1.5))
        told = redeem(client)
    assert told.replayed
    assert len(set(wire.keys()[1:])) == 1
    assert posted(service) == 1


def test_who_gives_up_can_go_on_with_the_key(service: Service, wire: Wire, cld: Client) -> None:
    wire.faults.extend([lost_after, lost_before, lost_before, lost_before])
    with pytest.raises(NoAnswer) as caught:
        redeem(cld)
    lost = caught.value
    assert (lost.code, lost.status) == ("no_answer", None)
    assert {lost.idempotency_key} == set(wire.keys())
    assert lost.request_id == wire.requests[-1].headers["x-request-id"]
    assert str(lost.idempotency_key) in str(lost)
    assert CARDS["T1"] not in str(lost)
    assert redeem(cld, idempotency_key=lost.idempotency_key).replayed
    assert posted(service) == 1


def test_a_key_in_flight_is_waited_for(service: Service, wire: Wire) -> None:
    patient = Retry(attempts=20, seconds=30, first_pause=0.05, longest_pause=0.5)
    with client_of(service, wire, retry=patient) as client, ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda _: redeem(client, idempotency_key="k"), range(20)))
    assert len({each.id for each in told}) == 1
    assert [each.replayed for each in told].count(False) == 1
    assert wire.tokens() == 1


def test_what_is_not_safe_to_repeat_is_not_repeated(
    service: Service, wire: Wire, cld: Client
) -> None:
    person = {"hotel": "CLD-GZ", "tier_code": "C1", "name": "赵敏", "phone": "139 0013 9000"}
    for fault in (lost_after, instead(problem(503, "code_not_sent"))):
        wire.faults.append(fault)
        with pytest.raises(ClearinghouseProblem) as caught:
            cld.enrolments.begin(**person)
        assert caught.value.idempotency_key is None
        assert not wire.faults
    assert len(wire.keys()) == 2
    wire.faults.append(instead(problem(429, "rate_limited", **{"Retry-After": "0"})))
    assert cld.enrolments.begin(**person).enrolment_id.startswith("enr_")


def test_nobody_waits_an_hour(service: Service, wire: Wire, cld: Client) -> None:
    wire.faults.append(instead(problem(429, "too_many_codes", **{"Retry-After": "3600"})))
    with pytest.raises(ClearinghouseProblem, match="too_many_codes"):
        cld.cards.lookup(CARDS["T1"])
    assert len(wire.keys()) == 1


def test_a_refusal_says_all_that_is_known(service: Service, wire: Wire, cld: Client) -> None:
    with pytest.raises(ClearinghouseProblem) as caught:
        redeem(cld, points=9_000, idempotency_key="mine")
    refused = caught.value
    assert (refused.code, refused.status) == ("insufficient_points", 422)
    assert refused.till
    assert (refused.till.zh, refused.till.en) == (
        "可用积分不足", "Not enough points are available",
    )  # fmt: skip
    assert refused.idempotency_key == "mine"
    assert refused.request_id == wire.requests[-1].headers["x-request-id"]
    assert len(wire.keys()) == 1
    with pytest.raises(ClearinghouseProblem) as caught:
        redeem(cld, ref=" ", points=-1)
    wrong = caught.value
    assert (wrong.code, wrong.till) == ("request_invalid", None)
    assert sorted(each.pointer for each in wrong.errors) == ["/points", "/txn_ref"]
    with pytest.raises(ClearinghouseProblem) as caught:
        cld.transactions.get("txn_" + "0" * 32)
    assert (caught.value.code, caught.value.status) == ("not_found", 404)


def test_titles_come_in_the_language_of_the_client(service: Service, wire: Wire) -> None:
    for language, title in (("zh", "没有找到"), ("en", "There is no such thing, or not for you")):
        with client_of(service, wire, language=language) as client:
            with pytest.raises(ClearinghouseProblem) as caught:
                client.hotels.get("NO-NE/../x?y")
            assert caught.value.title == title


def test_an_answer_of_somebody_else_on_the_way(wire: Wire, cld: Client) -> None:
    page = problem(403, "")._replace(body=b"<html>Blocked by the hotel's proxy</html>")
    wire.faults.append(instead(page))
    with pytest.raises(ClearinghouseProblem) as caught:
        redeem(cld)
    assert (caught.value.code, caught.value.status) == ("http_403", 403)
    assert "Blocked" in caught.value.detail
    for body in (b"{}", b"[]", b"welcome", b'{"id": 3}'):
        wire.faults.append(instead(page._replace(status=200, body=body)))
        with pytest.raises(ClearinghouseProblem) as caught:
            redeem(cld)
        assert (caught.value.code, bool(caught.value.idempotency_key)) == (
            "answer_unreadable",
            True,
        )


def test_what_a_newer_service_adds_is_passed_over(wire: Wire, cld: Client) -> None:
    def newer(deliver: Any) -> Any:
        told = deliver()
        return told._replace(
            headers={k: v for k, v in told.headers.items() if k != "Content-Length"},
            body=told.body.replace(b'{"id"', b'{"brand_new":{"a":[1]},"id"').replace(
                b'"lots":[{', b'"lots":[{"colour":"red",'
            ),
        )

    wire.faults.append(newer)
    told = redeem(cld)
    assert [(lot.issuer_hotel, lot.points) for lot in told.lots] == [
        ("AUR-SH", -1_200), ("BAM-HZ", -800),
    ]  # fmt: skip


def test_a_moment_has_its_zone(cld: Client) -> None:
    with pytest.raises(ValueError, match="time zone"):
        cld.transactions.post(
            "award",
            host_hotel="CLD-GZ",
            txn_ref="1",
            card=CARDS["T1"],
            business_date=DAY,
            occurred_at=AT.replace(tzinfo=None),
            points=1,
        )


def test_pages_are_fetched_as_they_are_needed(service: Service, wire: Wire, cld: Client) -> None:
    for number in range(205):
        service.alliance.accept("award", "CLD-GZ", f"P{number}", "T1", "2026-11-10", points=1)
    assert [row.txn_ref for row in islice(cld.transactions.list(), 3)] == ["P204", "P203", "P202"]
    assert len(wire.keys()) == 1
    found = list(cld.transactions.list(host_hotel="CLD-GZ", kind="award", business_date=DAY))
    assert [row.txn_ref for row in found] == [f"P{n}" for n in reversed(range(205))]
    assert len(wire.keys()) == 4
    assert [row.id for row in cld.transactions.list(txn_ref="P7")] == [found[-8].id]
    assert list(cld.transactions.list(txn_ref="nothing & nowhere?")) == []
    assert cld.transactions.get(found[0].id) == found[0]
