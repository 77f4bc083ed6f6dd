"""Webhooks: signed, at least once, retried for three days, and nobody's but their owner's."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg2.errors
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
    assert hooks.fates(webhook.id) == [("delivered", 1, 200, None)]


def test_the_secret_is_shown_once_and_stored_sealed(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    assert webhook.secret
    assert webhook.secret not in repr(webhook)
    assert webhooks.get_webhook(hooks.context, AUR, webhook.id).secret is None
    raw = base64.b64decode(webhook.secret.removeprefix("whsec_"))
    assert len(raw) == 32
    ((sealed,),) = hooks.alliance.rows("SELECT sealed FROM webhooks")
    assert raw not in bytes(sealed)


def test_the_role_that_reads_for_a_system_cannot_read_secrets(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.listen(receiver)
    with hooks.context.database.reading(1) as session:
        assert len(session.rows("SELECT public_key FROM webhooks")) == 1
    for column in ("sealed", "former_sealed", "*"):
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            hooks.context.database.reading(1) as session,
        ):
            session.rows(f"SELECT {column} FROM webhooks")


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
