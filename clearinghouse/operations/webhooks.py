"""Webhooks: where a system wants its events sent. How they are sent is ``delivering``'s.

A webhook hears of what happens from its creation on. While it is disabled nothing is queued for it; a
replay brings what it missed, or anything else, again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4

from clearinghouse.domain.errors import (
    CursorInvalid,
    NotFound,
    WebhookDisabled,
    WebhookLimitReached,
)
from clearinghouse.domain.events import TEST
from clearinghouse.operations.context import Context
from clearinghouse.operations.events import event_id, find_place, refuse_part, seeing
from clearinghouse.operations.party import Party
from clearinghouse.operations.signatures import Secrets, show_public_key
from clearinghouse.store import outbox
from clearinghouse.store import webhooks as store
from clearinghouse.store.database import Session
from clearinghouse.store.outbox import BEGINNING

#: Webhooks that a system may have.
MAX_WEBHOOKS = 20
OVERLAP_HOURS_MAX = 168
_PREFIX = "wh_"


class Reach(Protocol):
    """Knows where the service may send to."""

    def check(self, url: str) -> None:
        """Pass an address that webhooks may lead to.

        Raises:
            WebhookUrlRefused: they may not.
        """


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as its owner sees it; ``kinds`` is ``None`` for all kinds of event.

    ``disabled_why`` is ``owner``, ``gone`` (it answered 410) or ``exhausted`` (an event could not be delivered).
    ``secret`` is given once, when it is made. The ``former`` public key signs too until ``former_until``.
    """

    id: str
    url: str
    kinds: list[str] | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    public_key: str
    former_public_key: str | None
    former_until: datetime | None
    secret: str | None = field(default=None, repr=False)

    @property
    def enabled(self) -> bool:
        """Tell whether events are sent to it."""
        return self.disabled_at is None


class Delivery(NamedTuple):
    """What became of sending an event; ``state`` is ``pending``, ``delivered``, ``failed`` or ``cancelled``.

    ``status`` is what the last attempt was answered, ``failure`` says why there was no answer.
    """

    event: str
    kind: str
    state: str
    attempts: int
    next_at: datetime | None
    last_at: datetime | None
    status: int | None
    failure: str | None


def create_webhook(
    context: Context, party: Party, reach: Reach, url: str, kinds: Sequence[str] | None
) -> Webhook:
    """Make a webhook; its shared secret is in the answer and never shown again.

    Raises:
        WebhookUrlRefused: no webhook may lead there.
        WebhookLimitReached: there are too many already.
        SystemClientNeeded: the client is bound to some hotels.
    """
    refuse_part(party)
    reach.check(url)
    secrets, webhook_id, at = Secrets.new(), uuid4(), context.clock()
    keys = secrets.keys(context.vault)
    with context.database.posting() as session:
        store.hold_list(session, party.system)
        if len(store.webhooks(session, party.system)) >= MAX_WEBHOOKS:
            raise WebhookLimitReached(f"there may be {MAX_WEBHOOKS} webhooks; delete one first")
        since = outbox.present(session)
        store.add(session, webhook_id, party.system, url, _listed(kinds), keys, since, at)
        return _shown(_found(session, party, webhook_id), at, secrets.shown)


def list_webhooks(context: Context, party: Party) -> list[Webhook]:
    """Return the party's webhooks, oldest first."""
    with seeing(context, party) as session:
        at = context.clock()
        return [_shown(webhook, at) for webhook in store.webhooks(session, party.system)]


def get_webhook(context: Context, party: Party, webhook: str) -> Webhook:
    """Return one of the party's webhooks.

    Raises:
        NotFound: it has none of that id.
    """
    with seeing(context, party) as session:
        return _shown(_found(session, party, _number(webhook)), context.clock())


def change_webhook(
    context: Context,
    party: Party,
    reach: Reach,
    webhook: str,
    *,
    url: str | None = None,
    kinds: tuple[Sequence[str] | None] | None = None,
    enabled: bool | None = None,
) -> Webhook:
    """Change what is given; ``kinds`` is wrapped, since ``None`` itself means all kinds.

    What is pending when a webhook is disabled is cancelled; once enabled it hears of what happens from then on.

    Raises:
        NotFound: the party has no such webhook.
        WebhookUrlRefused: no webhook may lead there.
    """
    if url is not None:
        refuse_part(party)
        reach.check(url)
    with _holding(context, party, webhook) as (session, found):
        store.change(
            session,
            found.webhook_id,
            found.url if url is None else url,
            found.kinds if kinds is None else _listed(kinds[0]),
        )
        if enabled is False and found.disabled_at is None:
            store.disable(session, found.webhook_id, "owner", context.clock())
        if enabled is True and found.disabled_at is not None:
            store.enable(session, found.webhook_id, outbox.present(session))
        return _shown(_found(session, party, found.webhook_id), context.clock())


def delete_webhook(context: Context, party: Party, webhook: str) -> None:
    """Forget a webhook; what was on its way may still arrive.

    Raises:
        NotFound: the party has no such webhook.
    """
    with _holding(context, party, webhook) as (session, found):
        store.delete(session, found.webhook_id)


def rotate_secret(context: Context, party: Party, webhook: str, overlap_hours: int) -> Webhook:
    """Give a webhook new secrets; messages are signed with the former ones too for the hours of overlap.

    Secrets that were former already are gone at once: there are at most two of a kind.

    Raises:
        NotFound: the party has no such webhook.
    """
    secrets, at = Secrets.new(), context.clock()
    keys = secrets.keys(context.vault)
    until = at + timedelta(hours=overlap_hours) if overlap_hours else None
    with _holding(context, party, webhook) as (session, found):
        store.rotate(session, found.webhook_id, keys, until)
        return _shown(_found(session, party, found.webhook_id), at, secrets.shown)


def send_test(context: Context, party: Party, webhook: str) -> str:
    """Send a test event to one webhook, whatever kinds it hears of; return the event's id.

    Raises:
        NotFound: the party has no such webhook.
        WebhookDisabled: nothing is sent to it.
    """
    with _holding(context, party, webhook, enabled=True) as (session, found):
        payload = {"webhook_id": show_id(found.webhook_id)}
        place = outbox.add(session, context.clock(), TEST, payload, party.system)
        return event_id(context.vault, place)


def replay(context: Context, party: Party, webhook: str, after: str | None) -> None:
    """Send a webhook all events behind one of them (``None``: from the beginning) again.

    Raises:
        NotFound: the party has no such webhook.
        CursorInvalid: it has no such event.
        WebhookDisabled: nothing is sent to it.
    """
    with _holding(context, party, webhook, enabled=True) as (session, found):
        place = find_place(session, context.vault, party, after) if after else BEGINNING
        store.go_back(session, found.webhook_id, place)


def resend(context: Context, party: Party, webhook: str, event: str) -> None:
    """Send one event to a webhook again now, as if for the first time.

    Raises:
        NotFound: the party has no such webhook, or no such event.
        WebhookDisabled: nothing is sent to it.
    """
    with _holding(context, party, webhook, enabled=True) as (session, found):
        try:
            place = find_place(session, context.vault, party, event)
        except CursorInvalid:
            raise NotFound("there is no such event") from None
        store.send_again(session, found.webhook_id, party.system, place, context.clock())


def list_deliveries(
    context: Context, party: Party, webhook: str, before: str | None, limit: int
) -> tuple[list[Delivery], bool]:
    """Return what became of a webhook's events, latest first from before one of them on, and whether there are more.

    Raises:
        NotFound: the party has no such webhook.
        CursorInvalid: it has no such event.
    """
    with seeing(context, party) as session:
        found = _found(session, party, _number(webhook))
        place = find_place(session, context.vault, party, before) if before else None
        rows = store.deliveries(session, found.webhook_id, place, limit + 1)
    shown = [
        Delivery(
            event_id(context.vault, row.place),
            row.kind,
            row.state,
            row.attempts,
            row.next_at if row.state == "pending" else None,
            row.last_at,
            row.last_status,
            row.last_failure,
        )
        for row in rows[:limit]
    ]
    return shown, len(rows) > limit


def show_id(webhook_id: UUID) -> str:
    """Return the public id of a webhook."""
    return _PREFIX + webhook_id.hex


@contextmanager
def _holding(
    context: Context, party: Party, webhook: str, *, enabled: bool = False
) -> Iterator[tuple[Session, store.Webhook]]:
    """Open a transaction in which nobody else changes one of the party's webhooks."""
    refuse_part(party)
    number = _number(webhook)
    with context.database.posting() as session:
        found = store.hold(session, party.system, number)
        if found is None:
            raise NotFound("there is no such webhook")
        if enabled and found.disabled_at is not None:
            raise WebhookDisabled("the webhook is disabled; enable it first")
        yield session, found


def _found(session: Session, party: Party, number: UUID) -> store.Webhook:
    found = store.webhook(session, party.system, number)
    if found is None:
        raise NotFound("there is no such webhook")
    return found


def _number(webhook: str) -> UUID:
    text = webhook.removeprefix(_PREFIX)
    if webhook.startswith(_PREFIX) and len(text) == 32 and set(text) <= set("0123456789abcdef"):
        return UUID(hex=text)
    raise NotFound("there is no such webhook")


def _listed(kinds: Sequence[str] | None) -> list[str] | None:
    return None if kinds is None else sorted(set(kinds))


def _shown(found: store.Webhook, at: datetime, secret: str | None = None) -> Webhook:
    rotating = found.former_until is not None and at < found.former_until
    former = found.former_public_key if rotating else None
    return Webhook(
        id=show_id(found.webhook_id),
        url=found.url,
        kinds=found.kinds,
        created_at=found.created_at,
        disabled_at=found.disabled_at,
        disabled_why=found.disabled_why,
        public_key=show_public_key(found.public_key),
        former_public_key=None if former is None else show_public_key(former),
        former_until=found.former_until if rotating else None,
        secret=secret,
    )
