"""``/v1/webhooks`` over HTTP, from making one to a verified message at the other end."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from standardwebhooks import Webhook as Verifier

from api.dispatching import Dispatcher
from api.http.options import Options
from api.outgoing import HttpPoster
from clearinghouse.operations.context import Context
from clearinghouse.store import outbox
from tests.alliances import CARDS
from tests.api.service import URL, Caller, Service
from tests.receiver import Receiver, receiving


@pytest.fixture
def service(founded: object, context: Context, tmp_path: Path) -> Service:
    made = Service(context, tmp_path / "service", Options(public_url=URL, webhook_private=True))
    made.alliance.clock.pass_to(datetime.now(UTC))
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def dispatcher(service: Service) -> Iterator[Dispatcher]:
    """One that runs in its own thread, as the service has it."""
    made = Dispatcher(service.context, HttpPoster(private=True), senders=4)
    made.start()
    yield made
    made.stop()


def make(caller: Caller, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = caller.post("/v1/webhooks", json={"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def arrived(receiver: Receiver, count: int) -> list[str]:
    deadline = time.monotonic() + 10
    while len(receiver.messages) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    return receiver.ids


def test_from_a_new_webhook_to_a_verified_message(
    service: Service, receiver: Receiver, dispatcher: Dispatcher
) -> None:
    aur = service.client("AUR")
    made = make(aur, receiver, kinds=["transaction.posted"])
    assert made["id"].startswith("wh_")
    assert made["secret"].startswith("whsec_")
    assert made["public_key"].startswith("whpk_")
    assert (made["enabled"], made["kinds"]) == (True, ["transaction.posted"])
    now = service.alliance.clock.now
    stated = {
        "kind": "spend",
        "host_hotel": "AUR-BJ",
        "txn_ref": "1",
        "card_number": CARDS["T1"],
        "business_date": now.astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat(),
        "occurred_at": now.isoformat(timespec="seconds"),
        "amount": {"amount_minor": 5_000},
    }
    posted = aur.post("/v1/transactions", json=stated, key="1")
    assert posted.status_code == 201, posted.text
    (event,) = arrived(receiver, 1)
    (message,) = receiver.messages
    content = Verifier(made["secret"]).verify(message.body, message.headers)
    assert content["type"] == "transaction.posted"
    assert content["data"]["txn_ref"] == "1"
    listed = aur.get("/v1/events?kind=transaction.posted").get_json()["data"]
    assert listed == [{"id": event, **content}]


def test_its_life(service: Service, receiver: Receiver, dispatcher: Dispatcher) -> None:
    aur = service.client("AUR")
    made = make(aur, receiver)
    secret, path = made.pop("secret"), f"/v1/webhooks/{made['id']}"
    assert aur.get(path).get_json() == made
    assert aur.get("/v1/webhooks").get_json() == {"data": [made], "next_cursor": None}

    sent = aur.post(f"{path}/test")
    assert sent.status_code == 202
    assert arrived(receiver, 1) == [sent.get_json()["event_id"]]
    Verifier(secret).verify(receiver.messages[0].body, receiver.messages[0].headers)

    rotated = aur.post(f"{path}/rotate", json={"overlap_hours": 1}).get_json()
    assert rotated["secret"] != secret
    assert rotated["former_public_key"] == made["public_key"]
    again = aur.post(f"{path}/deliveries/{sent.get_json()['event_id']}/resend")
    assert again.status_code == 202
    assert arrived(receiver, 2) == [sent.get_json()["event_id"]] * 2
    for good in (secret, rotated["secret"]):
        Verifier(good).verify(receiver.messages[1].body, receiver.messages[1].headers)

    assert aur.post(f"{path}/replay", json={"after": None}).status_code == 202
    assert len(arrived(receiver, 3)) == 3
    (delivery,) = aur.get(f"{path}/deliveries").get_json()["data"]
    assert delivery["event_id"] == sent.get_json()["event_id"]
    assert (delivery["state"], delivery["status"], delivery["attempts"]) == ("delivered", 200, 1)

    changed = aur.patch(path, json={"enabled": False, "kinds": ["card.issued"]}).get_json()
    assert (changed["enabled"], changed["disabled_why"]) == (False, "owner")
    assert changed["kinds"] == ["card.issued"]
    refused = aur.post(f"{path}/test")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "webhook_disabled")
    changed = aur.patch(path, json={"enabled": True, "kinds": None}).get_json()
    assert (changed["enabled"], changed["disabled_why"], changed["kinds"]) == (True, None, None)

    assert aur.delete(path).status_code == 204
    assert aur.get(path).status_code == 404
    assert aur.get("/v1/webhooks").get_json()["data"] == []


def test_deliveries_are_listed_a_page_at_a_time(service: Service, receiver: Receiver) -> None:
    aur = service.client("AUR")
    path = f"/v1/webhooks/{make(aur, receiver)['id']}"
    for _ in range(3):
        aur.post(f"{path}/test")
    dispatcher = Dispatcher(service.context, HttpPoster(private=True), senders=2)
    while any(dispatcher.round()):
        time.sleep(0.01)
    dispatcher.stop()
    first = aur.get(f"{path}/deliveries?limit=2").get_json()
    rest = aur.get(f"{path}/deliveries?limit=2&cursor={first['next_cursor']}").get_json()
    assert [row["event_id"] for row in first["data"] + rest["data"]] == receiver.ids[::-1]
    assert rest["next_cursor"] is None
    tampered = aur.get(f"{path}/deliveries?cursor=x{first['next_cursor'][1:]}")
    assert (tampered.status_code, tampered.get_json()["code"]) == (400, "cursor_invalid")


ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "", None),
    ("PATCH", "", {"enabled": False}),
    ("DELETE", "", None),
    ("POST", "/rotate", {}),
    ("POST", "/test", None),
    ("POST", "/replay", {}),
    ("GET", "/deliveries", None),
    ("POST", "/deliveries/{event}/resend", None),
]


def test_another_systems_webhook_is_not_found(service: Service, receiver: Receiver) -> None:
    bam, aur = service.client("BAM"), service.client("AUR")
    path = f"/v1/webhooks/{make(bam, receiver)['id']}"
    event = bam.post(f"{path}/test").get_json()["event_id"]
    for stranger in (aur, service.operator()):
        for method, tail, body in ROUTES:
            answer = stranger.send(method, path + tail.format(event=event), json=body)
            assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found"), (
                method,
                tail,
            )
    mine = f"/v1/webhooks/{make(aur, receiver)['id']}"
    assert aur.post(f"{mine}/deliveries/{event}/resend").status_code == 404
    assert aur.post(f"{mine}/replay", json={"after": event}).get_json()["code"] == "cursor_invalid"
    assert bam.get(path).get_json()["enabled"]


def test_who_may_manage_them(service: Service, receiver: Receiver) -> None:
    whole = service.client("AUR")
    made = make(whole, receiver)
    path = f"/v1/webhooks/{made['id']}"
    reader = service.client("AUR", scopes=["events:read"])
    assert reader.get(path).status_code == 200
    part = service.client("AUR", hotels=["AUR-BJ"])
    calls: list[tuple[str, str, Any]] = [("POST", "/v1/webhooks", {"url": receiver.url})]
    calls += [(method, path + tail.format(event="evt_x"), body) for method, tail, body in ROUTES]
    for method, address, body in calls:
        assert service.anyone().send(method, address, json=body).status_code == 401
        answer = part.send(method, address, json=body)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "system_client_needed")
        if method != "GET":
            answer = reader.send(method, address, json=body)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/latest/",
     "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0/", "https://u:p@example.com/", "x", "file:///etc/passwd"],
)  # fmt: skip
def test_no_webhook_leads_inside(context: Context, tmp_path: Path, url: str) -> None:
    service = Service(context, tmp_path / "closed")
    aur = service.client("AUR")
    answer = aur.post("/v1/webhooks", json={"url": url})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "webhook_url_refused")
    assert aur.get("/v1/webhooks").get_json()["data"] == []


@pytest.mark.parametrize(
    "body",
    [{}, {"url": None}, {"url": 1}, {"url": "https://a.example/", "kinds": []}, {"url": "https://a b/"},
     {"url": "https://a.example/", "kinds": ["nothing.such"]}, {"url": "https://a.example/", "system": 2},
     {"url": "https://a.example/", "secret": "whsec_x"}, {"url": "https://a.example/\n"}, []],
)  # fmt: skip
def test_what_does_not_fit_is_refused(service: Service, body: Any) -> None:
    answer = service.client("AUR").post("/v1/webhooks", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "request_invalid"), answer.text


@pytest.mark.parametrize("enabled", [1, 0, "true", "yes", None, [], 1.0])
def test_only_true_and_false_enable_and_disable(
    service: Service, receiver: Receiver, enabled: Any
) -> None:
    aur = service.client("AUR")
    path = f"/v1/webhooks/{make(aur, receiver)['id']}"
    answer = aur.patch(path, json={"enabled": enabled})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "request_invalid")


def test_a_changed_address_is_checked_too(service: Service, receiver: Receiver) -> None:
    aur = service.client("AUR")
    path = f"/v1/webhooks/{make(aur, receiver)['id']}"
    answer = aur.patch(path, json={"url": "ftp://127.0.0.1/"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "webhook_url_refused")
    with receiving() as other:
        assert aur.patch(path, json={"url": other.url}).get_json()["url"] == other.url


def test_the_dispatcher_goes_on_after_an_error(
    service: Service, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that breaks our own code keeps nobody else waiting, and its text is in no log."""

    class Breaking(HttpPoster):
        def post(self, url: str, headers: Any, body: bytes) -> Any:
            if json.loads(body)["data"].get("n") == 1:
                raise RuntimeError("secret-text")
            return super().post(url, headers, body)

    log = io.StringIO()
    monkeypatch.setattr("api.dispatching._log", structlog.wrap_logger(structlog.WriteLogger(log)))
    aur, bam = service.client("AUR"), service.client("BAM")
    make(aur, receiver)
    made = make(bam, receiver)
    dispatcher = Dispatcher(service.context, Breaking(private=True), senders=2)
    dispatcher.start()
    with service.context.database.posting() as session:
        outbox.add(session, service.context.clock(), "card.issued", {"n": 1}, 1)
        outbox.add(session, service.context.clock(), "card.issued", {"n": 2}, 2)
    assert len(arrived(receiver, 1)) == 1
    dispatcher.stop()
    Verifier(made["secret"]).verify(receiver.messages[0].body, receiver.messages[0].headers)
    assert "RuntimeError" in log.getvalue()
    assert "secret-text" not in log.getvalue()
