"""Events and webhooks over the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from api.http.pages import Limit, PageQuery
from api.schemas.base import Choice, Moment, Schema, Text, Whole
from clearinghouse.domain.destinations import URL_MAX
from clearinghouse.domain.events import EVENT_KINDS
from clearinghouse.operations.webhooks import OVERLAP_HOURS_MAX

_EVENT_ID = "^evt_[a-z2-7]{26}$"
_URL = r"^[!-~]*$"
_KINDS = [kind.name for kind in EVENT_KINDS]
#: Every kind and its meaning, for the reference page.
_MEANINGS = "\n".join(f"- `{kind.name}`: {kind.zh} · {kind.en}" for kind in EVENT_KINDS)


class EventId(Text):
    """The id of an event."""

    def __init__(self, **options: Any) -> None:
        super().__init__(30, least=30, pattern=_EVENT_ID, **options)


class Kind(Choice):
    """A kind of event."""

    def __init__(self, **options: Any) -> None:
        super().__init__(*_KINDS, metadata={"description": _MEANINGS}, **options)


class Flag(fields.Boolean):
    """True or false, and nothing that other languages take for it."""

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *rest, **options)


class EventQuery(Schema):
    """Which events."""

    after = EventId(
        load_default=None,
        metadata={"description": "从此事件之后 behind this event; without it from the beginning"},
    )
    limit = Limit(1, 100, load_default=20)
    kind = Kind(load_default=None)


class EventView(Schema):
    """Something that happened; `data` depends on its type."""

    id = EventId(required=True)
    type = Kind(required=True)
    timestamp = Moment(required=True)
    data = fields.Dict(required=True)


class WebhookUrl(Text):
    """An address of the public Internet that begins with https://."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            URL_MAX, pattern=_URL, metadata={"example": "https://pms.example.com/hooks"}, **options
        )


class Kinds(fields.List[str]):
    """Kinds of event; null: all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            Kind(),
            allow_none=True,
            validate=validate.Length(min=1, max=len(_KINDS)),
            metadata={"description": "null: 所有类型 all kinds"},
            **options,
        )


class NewWebhook(Schema):
    """Where events are to be sent."""

    url = WebhookUrl(required=True)
    kinds = Kinds(load_default=None)


class WebhookChange(Schema):
    """What is to be changed of a webhook; what is left out stays."""

    url = WebhookUrl()
    kinds = Kinds()
    enabled = Flag()


class WebhookView(Schema):
    """A webhook."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    kinds = Kinds(required=True)
    enabled = fields.Boolean(required=True)
    disabled_why = Choice(
        "owner",
        "gone",
        "exhausted",
        required=True,
        allow_none=True,
        metadata={
            "description": "gone: it answered 410; exhausted: it took nothing for three days"
        },
    )
    disabled_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    public_key = fields.String(
        required=True,
        metadata={"description": "Ed25519 公钥，验证 v1a 签名 verifies `v1a` signatures"},
    )
    former_public_key = fields.String(required=True, allow_none=True)
    former_until = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "after a rotation the former secrets sign too until then"},
    )


class WebhookSecretView(WebhookView):
    """A webhook with its new secret, which is never shown again."""

    secret = fields.String(
        required=True,
        metadata={"description": "HMAC 密钥，只显示一次 verifies `v1` signatures; shown once"},
    )


class Rotation(Schema):
    """How a secret is to be replaced."""

    overlap_hours = Whole(
        0,
        OVERLAP_HOURS_MAX,
        load_default=24,
        metadata={
            "description": "新旧密钥同时签名的小时数 hours in which the former secrets sign too"
        },
    )


class Replay(Schema):
    """From where on events are to be sent again."""

    after = EventId(
        load_default=None,
        allow_none=True,
        metadata={"description": "从此事件之后 behind this event; null: from the beginning"},
    )


class Accepted(Schema):
    """A sending that is on its way."""

    event_id = EventId(required=True, allow_none=True)


class DeliveryQuery(PageQuery):
    """Which deliveries."""


class DeliveryView(Schema):
    """What became of sending one event to a webhook."""

    event_id = EventId(attribute="event", required=True)
    type = Kind(attribute="kind", required=True)
    state = Choice("pending", "delivered", "failed", "cancelled", required=True)
    attempts = Whole(0, 100, required=True)
    next_at = Moment(required=True, allow_none=True)
    last_at = Moment(required=True, allow_none=True)
    status = Whole(
        100,
        999,
        required=True,
        allow_none=True,
        metadata={"description": "HTTP status of the last attempt"},
    )
    failure = Choice(
        "timeout",
        "connection_failed",
        "tls_failed",
        "address_refused",
        required=True,
        allow_none=True,
        metadata={"description": "why the last attempt was not answered"},
    )
