"""The Python client against the application behind a socket, on a line on which things go wrong."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk

from api.app import create_app
from clearinghouse.client import (
    ClearinghouseProblem,
    Client,
    ClientSecret,
    Line,
    NoAnswer,
    PrivateKey,
    Retry,
    signer,
)
from clearinghouse.operations.batches import run_batches
from clearinghouse.operations.clients import create_client
from tests.alliances import CARDS
from tests.api.service import AUTHORITY, Service
from tests.api.wire import (
    Fault,
    cut_short,
    instead,
    line_to,
    lost_after,
    lost_before,
    problem,
    served,
    slow,
)
from tests.api.wire import Line as Wire

NOW = datetime(2026, 11, 10, 4, tzinfo=UTC)
DAY = date(2026, 11, 10)
AT = datetime(2026, 11, 10, 11, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
HASTY = Retry(attempts=4, seconds=20, first_pause=0.02, longest_pause=0.05)


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    """The tenth of November 2026, T1 has 1,200 points of AUR-SH and 1,333 of BAM-HZ; a line to the service."""
    service.alliance.accept("spend", "AUR-SH", "1", "T1", "2026-11-02", amount=120_000)
    service.alliance.accept("spend", "BAM-HZ", "2", "T1", "2026-11-03", amount=88_888)
    service.alliance.clock.pass_to(NOW)
    with served(lambda _: service.app) as target, line_to(target) as line:
        yield line


def client_of(service: Service, wire: Wire, system: str | None = "CLD", **options: Any) -> Client:
    """A client of a system, in a hurry."""
    issued = service.issue(system)
    assert issued.secret
    secret = ClientSecret(issued.client_id, issued.secret)
    return Client(wire.url, secret, **{"retry": HASTY, **options})


@pytest.fixture
def cld(service: Service, wire: Wire) -> Iterator[Client]:
    with client_of(service, wire) as client:
        yield client


def redeem(client: Client, ref: str = "3", points: int = 2_000, **more: Any) -> Any:
    return client.transactions.post(
        "redeem",
        host_hotel="CLD-GZ",
        txn_ref=ref,
        card=CARDS["T1"],
        business_date=DAY,
        occurred_at=AT,
        points=points,
        **more,
    )


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
    assert (told.points, told.till.zh) == (2_000, "已用 2,000 积分,抵 20.00 元")
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


def test_a_token_is_fetched_once_and_again_when_it_has_expired(
    service: Service, wire: Wire, cld: Client
) -> None:
    redeem(cld, "A", 10)
    redeem(cld, "B", 10)
    assert wire.tokens() == 1
    service.alliance.clock.pass_to(NOW + timedelta(hours=2))
    assert not redeem(cld, "C", 10).replayed
    assert wire.tokens() == 2
    # The one that was refused was sent again with its key.
    assert len(wire.keys()) == 4
    assert len(set(wire.keys())) == 3


def test_a_lost_token_is_asked_for_again(service: Service, wire: Wire, cld: Client) -> None:
    wire.token_faults.extend([lost_after, instead(problem(503, "x"))])
    redeem(cld)
    assert wire.tokens() == 3


def test_who_is_no_client_gets_the_reason_and_keeps_the_key(service: Service, wire: Wire) -> None:
    issued = service.issue("CLD")
    stranger = Client(wire.url, ClientSecret(issued.client_id, "chs_wrong"), retry=HASTY)
    with pytest.raises(ClearinghouseProblem) as caught:
        redeem(stranger, idempotency_key="k")
    assert (caught.value.code, caught.value.status) == ("invalid_client", 401)
    assert caught.value.idempotency_key == "k"
    narrow = Client(
        wire.url, ClientSecret(issued.client_id, issued.secret or ""), scopes=["cards:read"]
    )
    assert narrow.cards.lookup(CARDS["T1"]).status == "active"
    with pytest.raises(ClearinghouseProblem, match="insufficient_scope"):
        redeem(narrow)


@pytest.mark.parametrize("kind", ["Ed25519", "P-256 as PEM", "a function"])
def test_a_private_key_is_as_good(service: Service, wire: Wire, kind: str) -> None:
    # An assertion is signed by the machine's clock.
    context = replace(service.context, clock=lambda: datetime.now(UTC))
    key: Any = jwk.OKPKey.generate_key("Ed25519")
    private = json.dumps(key.as_dict(private=True))
    if kind.endswith("PEM"):
        made = generate_private_key(SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        private = pem.decode()
        key = jwk.ECKey.import_key(private)
    signed: list[Any] = []
    sign = signer(private)
    if kind == "a function":

        def kept_elsewhere(claims: Any) -> str:
            signed.append(claims["jti"])
            return signer(private)(claims)

        sign = kept_elsewhere
    issued = create_client(
        context, "CLD", "signer", AUTHORITY, public_key=json.dumps(key.as_dict(private=False))
    )

    def application(url: str) -> Any:
        return create_app(context, replace(service.options, public_url=url))

    with served(application) as target, line_to(target) as line:
        # Lost after it was delivered: the assertion is used up, and the next attempt needs another.
        line.token_faults.append(lost_after)
        proof = PrivateKey(issued.client_id, sign, audience=target)
        with Client(line.url, proof, retry=HASTY) as client:
            assert client.cards.lookup(CARDS["T1"]).card_masked == "627781******0013"
        assert line.tokens() == 2
    assert len(set(signed)) == (2 if signed else 0)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "{}",
        '{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
        "-----BEGIN X-----",
        "public",
    ],
)
def test_what_is_no_private_key(key: str) -> None:
    if key == "public":
        key = json.dumps(jwk.OKPKey.generate_key("Ed25519").as_dict(private=False))
    with pytest.raises(ValueError, match="no private key"):
        signer(key)


def test_an_address_that_would_show_the_secret() -> None:
    for url in ("http://clearing.example", "clearing.example", "ftp://clearing.example", ""):
        with pytest.raises(ValueError, match="https"):
            Client(url, ClientSecret("c", "s"))
    Client("http://gateway.internal", ClientSecret("c", "s"), allow_http=True)
    assert "hush" not in repr(ClientSecret("c", "hush"))


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


def test_a_card_at_the_front_desk(service: Service, wire: Wire) -> None:
    with client_of(service, wire, "BAM") as bam:
        card = bam.cards.lookup(CARDS["T1"])
        assert (card.is_own_system, card.own) == (False, None)
        treated = bam.cards.treatment(card.card_id, "BAM-HZ")
        assert (treated.tier_code, treated.name_zh, treated.reason) == ("B2", "金卡", "reciprocal")
        assert (treated.business_date, str(treated.earn_points_per_yuan)) == (DAY, "1.5")
        assert card.treatment == treated
        balance = bam.cards.balance(card.card_id, "BAM-HZ")
        assert (balance.points.usable, balance.points.own_system) == (2_533, 1_333)
        assert balance.points.worth
        assert balance.points.worth.amount_minor == 2_533
        assert [hotel.code for hotel in bam.hotels.list(system="AUR")] == ["AUR-BJ", "AUR-SH"]
        assert bam.hotels.get("BAM-HZ").system.name_en == "Bamboo"


def test_ones_own_card(service: Service, wire: Wire) -> None:
    with client_of(service, wire, "AUR") as aur:
        card_id = aur.cards.lookup(CARDS["T1"]).card_id
        wire.faults.append(lost_after)
        changed = aur.cards.give_tier(card_id, "A1", tier_from=DAY, reason="year end")
        assert changed.treatment
        assert changed.treatment.tier_code == "A1"
        assert aur.cards.suspend(card_id, "lost").status == "suspended"
        assert aur.cards.reactivate(card_id).status == "active"
        wire.faults.append(lost_after)
        fresh = aur.cards.replace(card_id, reason="lost")
        assert (fresh.status, fresh.card_id != card_id) == ("active", True)
        assert aur.cards.get(card_id).status == "replaced"
        assert aur.cards.balance(fresh.card_id, "AUR-BJ").points.usable == 2_533
        assert aur.cards.close(fresh.card_id, "moved away").status == "closed"
        assert "李芳" not in repr(fresh)


def test_a_hold_and_a_refund_on_a_bad_line(service: Service, wire: Wire, cld: Client) -> None:
    when: Any = {"business_date": DAY, "occurred_at": AT}
    card_id = cld.cards.lookup(CARDS["T1"]).card_id
    wire.faults.append(lost_after)
    held = cld.authorizations.hold(
        "redeem", host_hotel="CLD-GZ", txn_ref="H1", card=card_id, points=1_500, **when
    )
    assert (held.state, held.points, held.replayed) == ("held", 1_500, True)
    wire.faults.append(lost_after)
    used = cld.authorizations.capture(held.id, points=1_000, **when)
    assert (used.txn_ref, used.points, used.card_id) == ("H1", 1_000, card_id)
    wire.faults.append(lost_after)
    back = cld.transactions.refund(used.id, txn_ref="H1-R", points=400, **when)
    assert back.original
    assert (back.original.id, back.points) == (used.id, 400)
    second = cld.authorizations.hold(
        "redeem", host_hotel="CLD-GZ", txn_ref="H2", card=CARDS["T1"], points=500, **when
    )
    wire.faults.append(lost_after)
    assert cld.authorizations.void(second.id).state == "voided"
    assert cld.authorizations.get(held.id).captured_points == 1_000
    assert service.alliance.value("SELECT sum(remaining) FROM lots") == 2_533 - 600


@pytest.fixture
def worker(service: Service) -> Iterator[None]:
    """What works batches off, as in the service."""
    stop = Signal()
    thread = Thread(target=run_batches, args=(service.context, stop), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(20)


def night(count: int) -> Iterator[Line]:
    for number in range(count):
        too_many = number % 100 == 99
        yield Line(
            host_hotel="CLD-GZ",
            txn_ref=f"N{number}",
            kind="redeem" if too_many else "spend",
            card_number=CARDS["T1"],
            business_date=DAY - timedelta(days=1),
            occurred_at=AT - timedelta(days=1),
            amount_minor=None if too_many else 10_000,
            points=10**6 if too_many else None,
        )


@pytest.mark.usefixtures("worker")
def test_a_night_is_streamed_and_answered_line_by_line(
    service: Service, wire: Wire, cld: Client
) -> None:
    wire.faults.append(lost_after)
    batch = cld.batches.send(night(1_500))
    assert (batch.replayed, batch.lines, batch.format) == (True, 1_500, "ndjson")
    results = list(cld.batches.results(batch.batch_id, seconds=60))
    assert [result.line for result in results] == list(range(1, 1_501))
    refused = [result for result in results if result.outcome == "refused"]
    assert {result.code for result in refused} == {"insufficient_points"}
    assert refused[0].till
    done = cld.batches.wait(batch.batch_id, seconds=60)
    assert (done.state, done.totals.accepted, done.totals.refused) == ("finished", 1_485, 15)
    again = cld.batches.send(night(1_500))
    assert again.batch_id != batch.batch_id
    assert cld.batches.wait(again.batch_id, seconds=60).totals.repeated == 1_485
    assert [row.batch_id for row in cld.batches.list()] == [again.batch_id, batch.batch_id]


HEADER = "host_hotel,txn_ref,original_txn_ref,kind,card_number,business_date,occurred_at,amount_minor,points"
ROW = f"CLD-GZ,F1,,spend,{CARDS['T1']},2026-11-09,2026-11-09T12:00:00+08:00,100,"


def test_a_file_is_uploaded(wire: Wire, cld: Client, tmp_path: Path) -> None:
    content = f"{HEADER}\n{ROW}\n".encode()
    file = tmp_path / "night.CSV"
    file.write_bytes(content)
    wire.faults.append(lost_before)
    assert cld.batches.upload(file, idempotency_key="k").format == "csv"
    assert [request.body for request in wire.requests[1:]] == [content, content]

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    wire.faults.extend([lost_after, instead(problem(400, "batch_incomplete"))])
    piped = cld.batches.upload(Pipe(content), "csv", idempotency_key="k")
    assert piped.replayed
    began = io.BytesIO(b"skipped" + content)
    began.seek(7)
    assert cld.batches.upload(began, "csv", idempotency_key="k").replayed
    with pytest.raises(ValueError, match="csv or ndjson"):
        cld.batches.upload(began)
    with pytest.raises(ClearinghouseProblem, match="batch_unreadable"):
        cld.batches.upload(io.BytesIO(b"nothing"), "csv")


def test_nobody_waits_for_a_batch_for_ever(cld: Client) -> None:
    batch = cld.batches.send(night(1))
    with pytest.raises(TimeoutError):
        cld.batches.wait(batch.batch_id, seconds=0.3)
    with pytest.raises(TimeoutError):
        list(cld.batches.results(batch.batch_id, seconds=0.3))


def test_events_are_read_on_from_the_last_one(service: Service, wire: Wire, cld: Client) -> None:
    for number in range(120):
        redeem(cld, f"E{number}", 1)
    told = list(cld.events.after(kind="transaction.posted"))
    assert [event.data["txn_ref"] for event in told] == [f"E{n}" for n in range(120)]
    assert list(cld.events.after(told[-2].id, kind="transaction.posted")) == told[-1:]
    assert list(cld.events.after(told[-1].id)) == []
    redeem(cld, "E120", 1)
    assert [event.data["txn_ref"] for event in cld.events.after(told[-1].id)] == ["E120"]


def test_periods_and_statements(service: Service, wire: Wire) -> None:
    service.alliance.settle("2026-11")
    with client_of(service, wire, "BAM") as bam:
        (november,) = [row for row in bam.periods.list() if row.state == "published"]
        assert november.position
        assert (november.period, november.position.net.currency) == ("2026-11", "CNY")
        assert bam.periods.statement("2026-11", "pdf").startswith(b"%PDF")
        wire.faults.append(cut_short)
        whole = bam.periods.statement("2026-11", "csv")

        def changed(deliver: Any) -> Any:
            told = deliver()
            return told._replace(body=told.body.replace(b"2026", b"2025"))

        wire.faults.append(changed)
        with pytest.raises(ClearinghouseProblem, match="damaged"):
            bam.periods.statement("2026-11", "csv")
        assert bam.periods.statement("2026-11", "csv") == whole
