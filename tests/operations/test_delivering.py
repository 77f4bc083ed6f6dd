"""Delivering: at least once, retried for about three days, nobody held up by another."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

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
from tests.architecture.tree import ROOT
from tests.operations.hooks import AUR, Hooks
from tests.receiver import Receiver, receiving

#: Another process that delivers until it is killed; its vault has the tests' key.
DELIVERING = """
import sys, time
from api.dispatching import Dispatcher
from api.outgoing import HttpPoster
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault

Dispatcher(Context(Database(sys.argv[1]), Vault(bytes(32))), HttpPoster(private=True)).start()
time.sleep(60)
"""


@pytest.fixture
def hooks(context: Context, tmp_path: Path) -> Iterator[Hooks]:
    made = Hooks(context, tmp_path)
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def disabled_events(hooks: Hooks) -> list[dict[str, Any]]:
    found = events_after(hooks.context, AUR, None, 100, ["webhook.disabled"]).events
    return [event.data for event in found]


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
        assert hooks.fates(webhook.id) == [("failed", 10, 503, None)]
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
    assert max(hooks.fates(webhook.id)) == ("failed", 10, 500, None)
    assert webhooks.get_webhook(hooks.context, AUR, webhook.id).enabled


def test_410_disables_at_once(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    receiver.always = 410
    hooks.tell(1, 2, 3)
    hooks.settle()
    assert len(receiver.messages) == 1
    assert hooks.fates(webhook.id)[::-1] == [
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
    assert hooks.fates(webhook.id) == [("pending", 1, status, None)]


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
    assert set(hooks.fates(slow.id)) == {("pending", 1, None, "timeout")}


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


def test_a_process_killed_between_sending_and_recording_loses_nothing(
    hooks: Hooks, receiver: Receiver, database_url: str
) -> None:
    hooks.listen(receiver)
    hooks.tell(1, 2, 3)
    release = threading.Event()
    receiver.answers.append(lambda _: release.wait(20))
    process = subprocess.Popen([sys.executable, "-c", DELIVERING, database_url], cwd=ROOT)
    try:
        while not receiver.messages:
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        release.set()
    hooks.clock.pass_to(datetime.now(UTC) + LOST_AFTER)
    hooks.settle()
    first = receiver.ids[0]
    assert sorted(receiver.ids) == sorted([first, *hooks.ids()])
    assert {fate[0] for fate in hooks.alliance.rows("SELECT state FROM webhook_deliveries")} == {
        "delivered"
    }


def test_a_dispatcher_that_stops_hands_back_what_it_has_not_sent(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.listen(receiver)
    hooks.tell(*range(10))
    queue_events(hooks.context)
    (run,) = take_runs(hooks.context, [], 4)
    assert deliver(hooks.context, hooks.poster, run, lambda: len(receiver.messages) == 4) == 4
    hooks.settle()
    assert receiver.ids == hooks.ids()


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


def test_deliveries_that_ended_long_ago_are_forgotten(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.listen(receiver)
    hooks.tell(1)
    hooks.settle()
    assert forget_old(hooks.context) == 0
    hooks.clock.pass_to(hooks.clock.now + KEEP_ENDED + timedelta(minutes=1))
    assert forget_old(hooks.context) == 1
    assert hooks.fates(webhook.id) == []


def test_events_come_through_however_often_receivers_stumble(
    hooks: Hooks, receiver: Receiver
) -> None:
    """Thirty events, a receiver that fails a third of the time: each arrives, and none is lost."""
    chance = random.Random(7)  # noqa: S311  the same each time
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
