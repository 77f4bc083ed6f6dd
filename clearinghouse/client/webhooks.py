"""Webhooks: where events are sent, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from clearinghouse.client.transport import Ask, Body, Transport, in_json

_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are sent. ``secret`` is told when it is made or rotated and never again; ``kinds`` ``None``: all."""

    id: str
    url: str
    kinds: tuple[str, ...] | None = None
    enabled: bool
    disabled_why: str | None = None
    disabled_at: datetime | None = None
    created_at: datetime
    public_key: str
    former_public_key: str | None = None
    former_until: datetime | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of sending one event: ``pending``, ``delivered``, ``failed`` or ``cancelled``."""

    event_id: str
    type: str
    state: str
    attempts: int
    next_at: datetime | None = None
    last_at: datetime | None = None
    status: int | None = None
    failure: str | None = None


class Webhooks:
    """``/v1/webhooks``; needs ``events:write``, and ``events:read`` to read.

    What makes, rotates or sends is not repeated by itself where its answer is lost.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[Webhook]:
        """Yield the webhooks, oldest first."""
        # There is one page, which takes no limit.
        return self._transport.pages(Webhook, "/v1/webhooks", limit=None)

    def create(self, url: str, kinds: Sequence[str] | None = None) -> Webhook:
        """Have events sent to an address; ``kinds`` ``None`` is all. Keep the ``secret``: it is told this once."""
        body = in_json({"url": url, "kinds": None if kinds is None else [*kinds]})
        return self._post(Webhook, "/v1/webhooks", body)

    def get(self, webhook_id: str) -> Webhook:
        """Return a webhook."""
        return self._transport.get(Webhook, _path(webhook_id))

    def change(
        self, webhook_id: str, *, url: str | None = None, kinds: Sequence[str] | None = None
    ) -> Webhook:
        """Change the address or the kinds; what is ``None`` stays."""
        body = in_json({"url": url, "kinds": None if kinds is None else [*kinds]})
        return self._patch(webhook_id, body)

    def enable(self, webhook_id: str) -> Webhook:
        """Send to it again, from now on; a replay brings what it missed."""
        return self._patch(webhook_id, in_json({"enabled": True}))

    def disable(self, webhook_id: str) -> Webhook:
        """Send nothing to it any more."""
        return self._patch(webhook_id, in_json({"enabled": False}))

    def delete(self, webhook_id: str) -> None:
        """Delete it; what is on its way may still arrive."""
        self._transport.send(Ask(method="DELETE", path=_path(webhook_id)))

    def rotate(self, webhook_id: str, *, overlap_hours: int = 24) -> Webhook:
        """Replace its secrets; the former ones sign too for so many hours. Keep the new ``secret``."""
        body = in_json({"overlap_hours": overlap_hours})
        return self._post(Webhook, f"{_path(webhook_id)}/rotate", body)

    def test(self, webhook_id: str) -> str:
        """Send it a ``webhook.test`` event; return the event's id."""
        return self._post(_Sent, f"{_path(webhook_id)}/test").event_id or ""

    def replay(self, webhook_id: str, after: str | None = None) -> None:
        """Send it all events behind one of them (``None``: from the beginning) again."""
        self._post(_Sent, f"{_path(webhook_id)}/replay", in_json({"after": after}))

    def deliveries(self, webhook_id: str) -> Iterator[Delivery]:
        """Yield what became of its events in the last 30 days, latest event first."""
        return self._transport.pages(Delivery, f"{_path(webhook_id)}/deliveries")

    def resend(self, webhook_id: str, event_id: str) -> None:
        """Send it one event again now."""
        self._post(_Sent, f"{_path(webhook_id)}/deliveries/{quote(event_id, safe='')}/resend")

    def _post(self, kind: type[_Told], path: str, body: Body | None = None) -> _Told:
        return self._transport.read(kind, Ask(method="POST", path=path, body=body))

    def _patch(self, webhook_id: str, body: Body) -> Webhook:
        return self._transport.read(Webhook, Ask(method="PATCH", path=_path(webhook_id), body=body))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    event_id: str | None = None


def _path(webhook_id: str) -> str:
    return f"/v1/webhooks/{quote(webhook_id, safe='')}"
