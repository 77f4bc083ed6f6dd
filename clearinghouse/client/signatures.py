"""Checking that a webhook's message comes from the clearing house (Standard Webhooks)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from clearinghouse.client.events import Event
from clearinghouse.client.reading import Unreadable, read


class SignatureInvalid(ValueError):
    """What is signed is not from the clearing house, was changed, or (a message) is more than five minutes old."""


def verify_webhook(secrets: str | Sequence[str], headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event of a message, once one of the secrets proves it. Needs standardwebhooks.

    ``body`` is what arrived, byte for byte; ``headers`` are those of the request, however they are written. The same
    event may come more than once: handle each id once.

    Raises:
        SignatureInvalid: nothing proves it.
    """
    # Whoever takes no webhooks needs none of it.
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError  # noqa: PLC0415  only who verifies needs it

    named = {name.lower(): value for name, value in headers.items()}
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        try:
            Webhook(secret).verify(body, named, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # The library lets a header that is no signature through as a ValueError.
            continue
        break
    else:
        raise SignatureInvalid("no signature of the message holds")
    try:
        return read(Event, {**json.loads(body), "id": named["webhook-id"]})
    except (Unreadable, ValueError, TypeError):
        raise SignatureInvalid("the message is signed, but it is no event") from None
