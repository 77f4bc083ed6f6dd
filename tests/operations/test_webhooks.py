"""Webhooks: signed, at least once, retried for three days, and nobody's but their owner's."""

import base64
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from clearinghouse.domain.errors import (
    CursorInvalid,
    NotFound,
    SystemClientNeeded,
    WebhookDisabled,
    WebhookLimitReached,
)
from clearinghouse.operations import webhooks
from clearinghouse.operations.context import Context
from clearinghouse.operations.delivering import (
    JITTER,
    KEEP_ENDED,
    LOST_AFTER,
    RETRY_AFTER,
    Answer,
    deliver,
    forget_old,
    queue_events,
    take_runs,
)
from clearinghouse.operations.events import events_after
from clearinghouse.operations.party import Party
from tests.operations.hooks import AUR, BAM, OPERATOR, SCOPES, Hooks
from tests.receiver import Message, Receiver, receiving


@pytest.fixture
def hooks(context: Context, tmp_path: Path) -> Iterator[Hooks]:
    made = Hooks(context, tmp_path)
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def ed25519_verifies(public_key: str, message: Message) -> bool:
    """As a receiver in any language would: by the specification, without our code."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.body
    for signature in message.headers["webhook-signature"].split():
        version, _, text = signature.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(text), signed)
            except InvalidSignature:
                continue
            return True
    return False


def verifies(secret: str, message: Message) -> bool:
    try:
        Verifier(secret).verify(message.body, message.headers)
    except WebhookVerificationError:
        return False
    return True


def state(hooks: Hooks, webhook: str, party: Party = AUR) -> list[tuple[Any, ...]]:
    rows, _ = webhooks.list_deliveries(hooks.context, party, webhook, None, 100)
    return [(row.state, row.attempts, row.status, row.failure) for row in rows]


def disabled_events(hooks: Hooks, party: Party = AUR) -> list[dict[str, Any]]:
    found = events_after(hooks.context, party, None, 100, ["webhook.disabled"]).events
    return [event.data for event in found]


def test_a_message_is_signed_so_that_receivers_can_verify_it(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.listen(receiver)
    hooks.tell(1)
    hooks.settle()

    (message,) = receiver.messages
    assert webhook.secret
    assert message.path == "/hooks?for=us"
    content = Verifier(webhook.secret).verify(message.body, message.headers)
    assert set(content) == {"type", "timestamp", "data"}
    assert (content["type"], content["data"]) == ("batch.finished", {"n": 1, "hotel": "酒店"})
    assert content["timestamp"].endswith("Z")
    assert message.id == hooks.ids()[-1]
    assert message.headers["content-type"] == "application/json"
    assert ed25519_verifies(webhook.public_key, message)
    forged = message._replace(body=message.body.replace(b"1", b"2"))
    assert not verifies(webhook.secret, forged)
    assert not ed25519_verifies(webhook.public_key, forged)
    assert state(hooks, webhook.id) == [("delivered", 1, 200, None)]


def test_the_secret_is_shown_once_and_stored_sealed(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    assert webhook.secret
    assert webhook.secret not in repr(webhook)
    assert webhooks.get_webhook(hooks.context, AUR, webhook.id).secret is None
    raw = base64.b64decode(webhook.secret.removeprefix("whsec_"))
    assert len(raw) == 32
    ((sealed,),) = hooks.alliance.rows("SELECT sealed FROM webhooks")
    assert raw not in bytes(sealed)


def test_it_hears_of_the_kinds_it_asked_for_and_of_its_own_system(hooks: Hooks) -> None:
    with receiving() as cards, receiving() as everything, receiving() as bams, receiving() as ours:
        hooks.tell(0)  # before they were made
        hooks.listen(cards, ["card.issued", "card.replaced"])
        hooks.listen(everything)
        hooks.listen(bams, party=BAM)
        hooks.listen(ours, party=OPERATOR)
        hooks.tell(1, 2)
        hooks.tell(3, kind="card.issued")
        hooks.tell(4, system=2)
        hooks.tell(5, system=None)
        hooks.settle()
        heard = [
            sorted(json.loads(message.body)["data"]["n"] for message in receiver.messages)
            for receiver in (cards, everything, bams, ours)
        ]
    assert heard == [[3], [1, 2, 3], [4], [5]]


def test_what_fails_is_tried_again_for_three_days_then_the_webhook_is_disabled(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.listen(receiver)
    with receiving() as other:
        hooks.listen(other, ["webhook.disabled"])
        receiver.always = 503
        hooks.tell(1)
        start = hooks.clock.now
        hooks.settle()
        for tried, delay in enumerate(RETRY_AFTER, 1):
            assert len(receiver.messages) == tried
            hooks.clock.pass_to(hooks.clock.now + delay - timedelta(seconds=1))
            hooks.settle()
            assert len(receiver.messages) == tried, "not before its time"
            hooks.clock.pass_to(hooks.clock.now + delay * JITTER + timedelta(seconds=1))
            hooks.settle()
        assert timedelta(days=3) < hooks.clock.now - start < timedelta(days=4)

        assert len(receiver.messages) == len(RETRY_AFTER) + 1
        assert len(set(receiver.ids)) == 1
        assert len({m.headers["webhook-timestamp"] for m in receiver.messages}) > 8
        assert state(hooks, webhook.id) == [("failed", 10, 503, None)]
        disabled = webhooks.get_webhook(hooks.context, AUR, webhook.id)
        assert (disabled.enabled, disabled.disabled_why) == (False, "exhausted")
        assert disabled_events(hooks) == [{"webhook_id": webhook.id, "reason": "exhausted"}]
        assert [json.loads(m.body)["type"] for m in other.messages] == ["webhook.disabled"]


def test_one_event_that_is_never_taken_does_not_disable_a_webhook_that_takes_others(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.listen(receiver)
    receiver.answers.extend([500])
    hooks.tell(1)
    hooks.settle()
    for delay in RETRY_AFTER:
        hooks.tell(2)
        hooks.settle()
        receiver.answers.append(500)
        hooks.clock.pass_to(hooks.clock.now + delay * 2)
        hooks.settle()
    assert max(state(hooks, webhook.id)) == ("failed", 10, 500, None)
    assert webhooks.get_webhook(hooks.context, AUR, webhook.id).enabled


def test_410_disables_at_once(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    receiver.always = 410
    hooks.tell(1, 2, 3)
    hooks.settle()
    assert len(receiver.messages) == 1
    assert state(hooks, webhook.id)[::-1] == [
        ("failed", 1, 410, None),
        ("cancelled", 0, None, None),
        ("cancelled", 0, None, None),
    ]
    assert webhooks.get_webhook(hooks.context, AUR, webhook.id).disabled_why == "gone"
    assert disabled_events(hooks) == [{"webhook_id": webhook.id, "reason": "gone"}]
    hooks.tell(4)
    hooks.settle()
    assert len(receiver.messages) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 500])
def test_whatever_is_not_2xx_is_a_failure_and_redirects_are_not_followed(
    hooks: Hooks, receiver: Receiver, status: int
) -> None:
    webhook = hooks.listen(receiver)
    receiver.answers.append(status)
    hooks.tell(1)
    hooks.settle()
    assert [message.path for message in receiver.messages] == ["/hooks?for=us"]
    assert state(hooks, webhook.id) == [("pending", 1, status, None)]


def test_a_slow_receiver_holds_up_nobody_else(hooks: Hooks, receiver: Receiver) -> None:
    release = threading.Event()
    slow = hooks.listen(receiver)
    receiver.always = lambda _: release.wait(20)
    with receiving() as quick:
        hooks.listen(quick)
        hooks.tell(*range(5))
        while len(quick.messages) < 5:
            hooks.dispatcher.round()
        assert len(receiver.messages) == 1
        hooks.settle()
    release.set()
    # The first timed out, the others were handed back and met the same fate, one at a time.
    assert set(state(hooks, slow.id)) == {("pending", 1, None, "timeout")}


def test_during_a_rotation_both_secrets_sign(hooks: Hooks, receiver: Receiver) -> None:
    old = hooks.listen(receiver)
    new = webhooks.rotate_secret(hooks.context, AUR, old.id, 24)
    assert new.secret
    assert old.secret
    assert new.secret != old.secret
    assert new.former_public_key == old.public_key != new.public_key
    hooks.tell(1)
    hooks.settle()
    (message,) = receiver.messages
    assert [s[:3] for s in message.headers["webhook-signature"].split()] == ["v1,", "v1a"] * 2
    for webhook in (old, new):
        assert verifies(str(webhook.secret), message)
        assert ed25519_verifies(webhook.public_key, message)

    hooks.clock.pass_to(hooks.clock.now + timedelta(hours=25))
    hooks.tell(2)
    hooks.settle()
    late = receiver.messages[-1]
    assert ed25519_verifies(new.public_key, late)
    assert not ed25519_verifies(old.public_key, late)
    shown = webhooks.get_webhook(hooks.context, AUR, old.id)
    assert (shown.former_public_key, shown.former_until) == (None, None)


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(
    hooks: Hooks, receiver: Receiver
) -> None:
    old = hooks.listen(receiver)
    new = webhooks.rotate_secret(hooks.context, AUR, old.id, 0)
    hooks.tell(1)
    hooks.settle()
    (message,) = receiver.messages
    assert verifies(str(new.secret), message)
    assert not verifies(str(old.secret), message)
    assert not ed25519_verifies(old.public_key, message)


def test_a_test_event_goes_to_one_webhook_whatever_it_listens_to(hooks: Hooks) -> None:
    with receiving() as one, receiving() as other:
        webhook = hooks.listen(one, ["card.issued"])
        hooks.listen(other)
        event = webhooks.send_test(hooks.context, AUR, webhook.id)
        hooks.settle()
        assert (one.ids, other.ids) == ([event], [])
        assert json.loads(one.messages[0].body)["data"] == {"webhook_id": webhook.id}


def test_a_replay_sends_everything_behind_an_event_again(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    hooks.tell(1, 2, 3)
    hooks.settle()
    first = list(receiver.ids)
    webhooks.replay(hooks.context, AUR, webhook.id, first[0])
    hooks.settle()
    assert receiver.ids == [*first, *first[1:]]
    webhooks.replay(hooks.context, AUR, webhook.id, first[-1])
    hooks.settle()
    assert len(receiver.ids) == 5


def test_what_a_disabled_webhook_missed_is_replayed_on_request(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.listen(receiver)
    hooks.tell(1)
    hooks.settle()
    change = webhooks.change_webhook
    change(hooks.context, AUR, hooks.poster, webhook.id, enabled=False)
    hooks.tell(2)
    hooks.settle()
    for act in (webhooks.replay, webhooks.resend):
        with pytest.raises(WebhookDisabled):
            act(hooks.context, AUR, webhook.id, receiver.ids[0])
    with pytest.raises(WebhookDisabled):
        webhooks.send_test(hooks.context, AUR, webhook.id)
    assert change(hooks.context, AUR, hooks.poster, webhook.id, enabled=True).enabled
    hooks.tell(3)
    hooks.settle()
    assert receiver.ids == [hooks.ids()[0], hooks.ids()[2]]
    webhooks.replay(hooks.context, AUR, webhook.id, receiver.ids[0])
    hooks.settle()
    assert set(receiver.ids) == set(hooks.ids())


def test_one_event_is_sent_again_on_request(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver, ["card.issued"])
    hooks.tell(1, 2, kind="card.issued")
    hooks.tell(3)
    hooks.settle()
    webhooks.resend(hooks.context, AUR, webhook.id, receiver.ids[1])
    webhooks.resend(hooks.context, AUR, webhook.id, hooks.ids()[2])
    hooks.settle()
    assert receiver.ids == [*hooks.ids()[:2], *hooks.ids()[1:3]]


def test_two_dispatchers_at_once_deliver_each_event_once(hooks: Hooks, receiver: Receiver) -> None:
    hooks.listen(receiver)
    receiver.delay = 0.002
    hooks.tell(*range(150))
    others = [hooks.other_dispatcher() for _ in range(3)]
    threads = [threading.Thread(target=hooks.settle, args=[one]) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.stop()
    assert sorted(receiver.ids) == sorted(hooks.ids())


def test_what_a_killed_process_sent_and_did_not_record_arrives_again_with_the_same_id(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.listen(receiver)
    hooks.tell(1)
    queue_events(hooks.context)
    (run,) = take_runs(hooks.context, [], 4)
    (due,) = run.due
    hooks.poster.post(run.target.url, {"webhook-id": hooks.ids()[0]}, b"{}")  # and then it died
    hooks.settle()
    assert len(receiver.messages) == 1, "it is not lost yet"
    hooks.clock.pass_to(hooks.clock.now + LOST_AFTER)
    hooks.settle()
    assert receiver.ids == hooks.ids() * 2
    # The first process was only slow: what it records now must not undo what the second did.
    deliver(hooks.context, Silent(), run)
    ((found, attempts),) = hooks.alliance.rows("SELECT state, attempts FROM webhook_deliveries")
    assert (found, attempts, due.attempts) == ("delivered", 1, 0)


class Silent:
    """A poster whose connection always breaks."""

    def post(self, url: str, headers: Any, body: bytes) -> Answer:
        return Answer(None, "connection_failed")


def test_no_transaction_is_open_while_http_is_under_way(hooks: Hooks, receiver: Receiver) -> None:
    idle: list[int] = []
    asking = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
    )

    class Watching:
        def post(self, url: str, headers: Any, body: bytes) -> Answer:
            idle.append(hooks.alliance.value(asking))
            return Answer(204)

    hooks.listen(receiver)
    hooks.tell(1, 2, 3)
    queue_events(hooks.context)
    (run,) = take_runs(hooks.context, [], 4)
    assert deliver(hooks.context, Watching(), run) == 3
    assert idle == [0, 0, 0]


def test_another_systems_webhook_is_not_there(hooks: Hooks, receiver: Receiver) -> None:
    theirs = hooks.listen(receiver, party=BAM).id
    hooks.tell(1)
    mine = hooks.ids()[0]
    calls: list[Callable[[Context], object]] = [
        lambda c: webhooks.get_webhook(c, AUR, theirs),
        lambda c: webhooks.change_webhook(c, AUR, hooks.poster, theirs, enabled=False),
        lambda c: webhooks.delete_webhook(c, AUR, theirs),
        lambda c: webhooks.rotate_secret(c, AUR, theirs, 0),
        lambda c: webhooks.send_test(c, AUR, theirs),
        lambda c: webhooks.replay(c, AUR, theirs, None),
        lambda c: webhooks.resend(c, AUR, theirs, mine),
        lambda c: webhooks.list_deliveries(c, AUR, theirs, None, 10),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call(hooks.context)
    assert webhooks.list_webhooks(hooks.context, AUR) == []
    assert webhooks.list_webhooks(hooks.context, OPERATOR) == []
    assert [webhook.id for webhook in webhooks.list_webhooks(hooks.context, BAM)] == [theirs]
    with pytest.raises(CursorInvalid):
        webhooks.replay(hooks.context, BAM, theirs, mine)
    with hooks.context.database.reading(1) as session:
        assert session.rows("SELECT webhook_id FROM webhooks") == []


@pytest.mark.parametrize("webhook", ["", "wh_", "wh_" + "A" * 32, "wh_" + "z" * 32, "x" * 99])
def test_what_is_no_id_is_not_there(hooks: Hooks, webhook: str) -> None:
    with pytest.raises(NotFound):
        webhooks.get_webhook(hooks.context, AUR, webhook)


def test_a_client_of_some_hotels_hears_nothing_of_the_others(hooks: Hooks) -> None:
    part = Party(client=1, system=1, hotels=frozenset({1}), scopes=SCOPES)
    with pytest.raises(SystemClientNeeded):
        events_after(hooks.context, part, None, 10)
    with pytest.raises(SystemClientNeeded):
        webhooks.create_webhook(hooks.context, part, hooks.poster, "https://a.example/", None)
    with pytest.raises(SystemClientNeeded):
        webhooks.list_webhooks(hooks.context, part)


def test_a_system_has_only_so_many_webhooks(hooks: Hooks, receiver: Receiver) -> None:
    for _ in range(webhooks.MAX_WEBHOOKS):
        made = hooks.listen(receiver)
    with pytest.raises(WebhookLimitReached):
        hooks.listen(receiver)
    hooks.listen(receiver, party=BAM)
    webhooks.delete_webhook(hooks.context, AUR, made.id)
    hooks.listen(receiver)


def test_deliveries_are_listed_a_page_at_a_time(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    hooks.tell(*range(5))
    hooks.settle()
    seen, before, more = [], None, True
    while more:
        rows, more = webhooks.list_deliveries(hooks.context, AUR, webhook.id, before, 2)
        seen += [row.event for row in rows]
        before = seen[-1]
    assert seen == hooks.ids()[::-1]


def test_deliveries_that_ended_long_ago_are_forgotten(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    hooks.tell(1)
    hooks.settle()
    assert forget_old(hooks.context) == 0
    hooks.clock.pass_to(hooks.clock.now + KEEP_ENDED + timedelta(minutes=1))
    assert forget_old(hooks.context) == 1
    assert state(hooks, webhook.id) == []


def test_events_come_through_however_often_receivers_stumble(
    hooks: Hooks, receiver: Receiver
) -> None:
    """Thirty events, a receiver that fails a third of the time: each arrives, and none is lost."""
    chance = random.Random(7)  # noqa: S311
    hooks.listen(receiver)
    receiver.answers.extend(chance.choice([200, 200, 500]) for _ in range(60))
    hooks.tell(*range(30))
    hooks.settle()
    for delay in RETRY_AFTER:
        hooks.clock.pass_to(hooks.clock.now + delay * 2)
        hooks.settle()
    assert set(receiver.ids) == set(hooks.ids())
    assert {row[0] for row in hooks.alliance.rows("SELECT state FROM webhook_deliveries")} == {
        "delivered"
    }
