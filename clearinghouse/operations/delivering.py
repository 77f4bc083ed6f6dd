"""Sending events to webhooks: queued, taken, sent, recorded; each at least once, retried for about three days.

No transaction is open while HTTP is under way. A run of deliveries is taken for one webhook at a time, and
handed back after the first that fails, so a slow receiver costs its own events time and nobody else's.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from clearinghouse.domain.events import TEST
from clearinghouse.operations.context import Context
from clearinghouse.operations.events import event_id
from clearinghouse.operations.signatures import Secrets, signed_headers
from clearinghouse.operations.webhooks import show_id
from clearinghouse.store import deliveries as store
from clearinghouse.store import outbox
from clearinghouse.store.database import Session
from clearinghouse.store.deliveries import Due, Lagging, Record, Target
from clearinghouse.store.outbox import StoredEvent
from clearinghouse.store.webhooks import disable, hold

#: How long after each failed attempt the next one is made; after the last there is none. Some three days in all.
RETRY_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: A retry comes later by up to this part of its delay, so that they don't all come at once.
JITTER = 0.2
#: Events that are queued for a webhook at a time, and those that may wait before no more are queued.
QUEUE_SIZE = 500
MOST_PENDING = 10_000
#: Deliveries of a run, and the time after which a run takes no further one.
RUN_SIZE = 20
RUN_FOR = timedelta(seconds=20)
#: By when a run has ended, or its process is dead: well above ``RUN_FOR`` and the longest a single attempt lasts.
LOST_AFTER = timedelta(seconds=120)
#: How long one can look up what became of a delivery.
KEEP_ENDED = timedelta(days=30)

_GONE = 410


class Answer(NamedTuple):
    """What an attempt brought: an HTTP status, or why there is none."""

    status: int | None
    failure: str | None = None


class Poster(Protocol):
    """Sends one message over HTTP; it never raises for what the other side does."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message and return what came of it."""


@dataclass(frozen=True, slots=True)
class Run:
    """Deliveries of one webhook, taken until a moment by which they are recorded."""

    target: Target
    due: list[Due]
    until: datetime


class Attempt(NamedTuple):
    """A delivery that was attempted, and what it brought."""

    due: Due
    answer: Answer
    at: datetime


def queue_events(context: Context) -> int:
    """Queue what happened for the webhooks that want to hear of it; return how many were queued."""
    queued = 0
    with context.database.posting() as session:
        for webhook in store.hold_lagging(session, MOST_PENDING, limit=20):
            events = outbox.after(session, webhook.system, webhook.told, None, QUEUE_SIZE)
            if events:
                wanted = [event.place for event in events if _wants(webhook, event)]
                store.queue(session, webhook, wanted, events[-1].place, context.clock())
                queued += len(wanted)
    return queued


def take_runs(context: Context, busy: Sequence[UUID], most: int) -> list[Run]:
    """Take what is due, a run for each of at most so many webhooks; of the ``busy`` ones nothing."""
    now = context.clock()
    until = now + LOST_AFTER
    with context.database.posting() as session:
        runs = [
            Run(target, store.take_due(session, target.webhook_id, now, until, RUN_SIZE), until)
            for target in store.due_targets(session, now, busy, most)
        ]
    # Another process may have taken everything in between.
    return [run for run in runs if run.due]


def deliver(
    context: Context, poster: Poster, run: Run, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Send a run and record what came of it; return how many events were delivered.

    If the process dies in between, the run is taken again and its events arrive a second time, with the same id.
    What was not attempted when ``stopping`` is handed back.
    """
    attempts: list[Attempt] = []
    started = time.monotonic()
    for due in run.due:
        attempts.append(_attempt(context, poster, run.target, due))
        late = time.monotonic() - started > RUN_FOR.total_seconds()
        if late or stopping() or not _is_success(attempts[-1].answer):
            break
    return _record(context, run, attempts)


def forget_old(context: Context) -> int:
    """Forget deliveries that ended long ago; return how many."""
    with context.database.posting() as session:
        return store.forget_ended(session, context.clock() - KEEP_ENDED, limit=5000)


def _wants(webhook: Lagging, event: StoredEvent) -> bool:
    if event.kind == TEST:
        return bool(event.payload["webhook_id"] == show_id(webhook.webhook_id))
    return webhook.kinds is None or event.kind in webhook.kinds


def _attempt(context: Context, poster: Poster, target: Target, due: Due) -> Attempt:
    """Send one event, signed with the secrets that are good at this moment."""
    at = context.clock()
    sealed = [target.sealed]
    if target.former_sealed and target.former_until and at < target.former_until:
        sealed.append(target.former_sealed)
    content = {
        "type": due.kind,
        "timestamp": due.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": due.payload,
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    good = [Secrets.unsealed(context.vault, one) for one in sealed]
    headers = signed_headers(good, event_id(context.vault, due.place), at, body)
    answer = poster.post(target.url, headers, body.encode())
    return Attempt(due, answer, at)


def _record(context: Context, run: Run, attempts: Sequence[Attempt]) -> int:
    """Record attempts, hand back the rest, and disable a webhook that is gone or past hope."""
    now, target = context.clock(), run.target
    with context.database.posting() as session:
        why = _why_disable(session, target, attempts)
        webhook = hold(session, target.system, target.webhook_id) if why else None
        for due, answer, at in attempts:
            result = _result(due, answer, now)
            store.record(session, target.webhook_id, run.until, at, result)
        for due in run.due[len(attempts) :]:
            store.hand_back(session, target.webhook_id, run.until, now, due.place)
        if why and webhook and webhook.disabled_at is None:
            disable(session, target.webhook_id, why, now)
            payload = {"webhook_id": show_id(target.webhook_id), "reason": why}
            outbox.add(session, now, "webhook.disabled", payload, target.system)
    return sum(_is_success(attempt.answer) for attempt in attempts)


def _result(due: Due, answer: Answer, now: datetime) -> Record:
    if _is_success(answer):
        return Record(due.place, "delivered", now, answer.status, None)
    if answer.status == _GONE or due.attempts >= len(RETRY_AFTER):
        return Record(due.place, "failed", now, answer.status, answer.failure)
    delay = RETRY_AFTER[due.attempts]
    delay *= 1 + JITTER * secrets.randbelow(1000) / 1000
    return Record(due.place, "pending", now + delay, answer.status, answer.failure)


def _why_disable(session: Session, target: Target, attempts: Sequence[Attempt]) -> str | None:
    """Tell why a webhook gets nothing more: it said so, or took nothing as long as one event was tried.

    One event that its receiver can't take, among others that it takes, only fails itself.
    """
    due, answer, at = attempts[-1]  # a run ends with the first that fails
    if _is_success(answer):
        return None
    if answer.status == _GONE:
        return "gone"
    if due.attempts < len(RETRY_AFTER) or len(attempts) > 1:
        return None
    tried_since = at - sum(RETRY_AFTER, timedelta())
    return None if store.delivered_since(session, target.webhook_id, tried_since) else "exhausted"


def _is_success(answer: Answer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300
