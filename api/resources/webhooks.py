"""``/v1/webhooks``: where a system wants its events sent, and what became of them."""

from __future__ import annotations

from typing import Any

from api.http.blueprint import Blueprint
from api.http.caller import caller, house, needs, the_context
from api.http.outcomes import problems
from api.http.pages import cursor_at, page_of, place
from api.outgoing import HttpPoster
from api.schemas.events import (
    Accepted,
    DeliveryQuery,
    DeliveryView,
    NewWebhook,
    Replay,
    Rotation,
    WebhookChange,
    WebhookSecretView,
    WebhookView,
)
from clearinghouse.operations import webhooks
from clearinghouse.operations.webhooks import Webhook

blueprint = Blueprint(
    "webhooks", __name__, url_prefix="/v1/webhooks", description="事件推送 Webhooks"
)


@blueprint.get("")
@needs("events:read")
@problems("system_client_needed")
@blueprint.response(200, page_of(WebhookView))
def list_webhooks() -> dict[str, Any]:
    """List the system's webhooks; there are at most 20, so there is one page."""
    return {"data": webhooks.list_webhooks(the_context(), caller()), "next_cursor": None}


@blueprint.post("")
@needs("events:write")
@problems("system_client_needed", "webhook_url_refused", "webhook_limit_reached")
@blueprint.arguments(NewWebhook)
@blueprint.response(201, WebhookSecretView)
def create_webhook(body: dict[str, Any]) -> Webhook:
    """Have events sent to an address from now on.

    Messages are signed as Standard Webhooks has it: `webhook-id` is the event's id (handle each once: it may come
    again), `webhook-signature` has `v1` (HMAC with the secret, shown in this answer only) and `v1a` (Ed25519).
    Answer 2xx within 15 seconds. What fails is tried again for three days; 410 disables the webhook at once.
    """
    return webhooks.create_webhook(the_context(), caller(), _reach(), body["url"], body["kinds"])


@blueprint.get("/<webhook_id>")
@needs("events:read")
@problems("system_client_needed", "not_found")
@blueprint.response(200, WebhookView)
def show_webhook(webhook_id: str) -> Webhook:
    """Look up one webhook."""
    return webhooks.get_webhook(the_context(), caller(), webhook_id)


@blueprint.patch("/<webhook_id>")
@needs("events:write")
@problems("system_client_needed", "not_found", "webhook_url_refused")
@blueprint.arguments(WebhookChange)
@blueprint.response(200, WebhookView)
def change_webhook(body: dict[str, Any], webhook_id: str) -> Webhook:
    """Change its address or kinds, disable or enable it.

    Disabling cancels what is pending. Once enabled it hears of what happens from then on; a replay brings the rest.
    """
    return webhooks.change_webhook(
        the_context(),
        caller(),
        _reach(),
        webhook_id,
        url=body.get("url"),
        kinds=(body["kinds"],) if "kinds" in body else None,
        enabled=body.get("enabled"),
    )


@blueprint.delete("/<webhook_id>")
@needs("events:write")
@problems("system_client_needed", "not_found")
@blueprint.response(204)
def delete_webhook(webhook_id: str) -> None:
    """Delete a webhook; what is on its way may still arrive."""
    webhooks.delete_webhook(the_context(), caller(), webhook_id)


@blueprint.post("/<webhook_id>/rotate")
@needs("events:write")
@problems("system_client_needed", "not_found")
@blueprint.arguments(Rotation, required=False)
@blueprint.response(200, WebhookSecretView)
def rotate_secret(body: dict[str, Any], webhook_id: str) -> Webhook:
    """Replace its secrets; for some hours messages carry the signatures of both."""
    return webhooks.rotate_secret(the_context(), caller(), webhook_id, body["overlap_hours"])


@blueprint.post("/<webhook_id>/test")
@needs("events:write")
@problems("system_client_needed", "not_found", "webhook_disabled")
@blueprint.response(202, Accepted)
def send_test(webhook_id: str) -> dict[str, Any]:
    """Send it a `webhook.test` event."""
    return {"event_id": webhooks.send_test(the_context(), caller(), webhook_id)}


@blueprint.post("/<webhook_id>/replay")
@needs("events:write")
@problems("system_client_needed", "not_found", "webhook_disabled", "cursor_invalid")
@blueprint.arguments(Replay, required=False)
@blueprint.response(202, Accepted)
def replay(body: dict[str, Any], webhook_id: str) -> dict[str, Any]:
    """Send it all events behind one of them again, as far as it listens to their kinds."""
    webhooks.replay(the_context(), caller(), webhook_id, body["after"])
    return {"event_id": body["after"]}


@blueprint.get("/<webhook_id>/deliveries")
@needs("events:read")
@problems("system_client_needed", "not_found")
@blueprint.arguments(DeliveryQuery, location="query")
@blueprint.response(200, page_of(DeliveryView))
def list_deliveries(query: dict[str, Any], webhook_id: str) -> dict[str, Any]:
    """List what became of its events in the last 30 days, latest event first."""
    rows, more = webhooks.list_deliveries(
        the_context(), caller(), webhook_id, place(query), query["limit"]
    )
    return {"data": rows, "next_cursor": cursor_at(rows[-1].event) if more else None}


@blueprint.post("/<webhook_id>/deliveries/<event_id>/resend")
@needs("events:write")
@problems("system_client_needed", "not_found", "webhook_disabled")
@blueprint.response(202, Accepted)
def resend(webhook_id: str, event_id: str) -> dict[str, Any]:
    """Send it one event again now, whatever became of it."""
    webhooks.resend(the_context(), caller(), webhook_id, event_id)
    return {"event_id": event_id}


def _reach() -> HttpPoster:
    """Return who knows where webhooks may lead."""
    return HttpPoster(private=house().options.webhook_private)
