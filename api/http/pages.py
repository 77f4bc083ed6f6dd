"""Lists a page at a time: ``limit`` and ``cursor`` in, ``data`` and ``next_cursor`` out.

    @blueprint.get("")
    @needs("transactions:read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(TransactionView))
    def list_transactions(query):
        found = transactions.list_of(the_context(), caller(), after=place(query), most=query["limit"] + 1)
        return page(found, query["limit"], lambda row: row.txn_id.hex)

A cursor says where the page ended. It is bound to the address and to the system that asks, and a made-up, foreign or
tampered one is refused (``cursor_invalid``).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from flask import request
from marshmallow import fields

from api.http.caller import caller, the_context
from api.schemas.base import Schema, Text, Whole
from clearinghouse.domain.errors import CursorInvalid

MAX_LIMIT = 100
_DEFAULT_LIMIT = 20
_MAX_CURSOR = 400
_MAC_BYTES = 16

T = TypeVar("T")


class Limit(Whole):
    """How many rows a page has; in an address it is text."""

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
            value = int(value)
        return super()._deserialize(value, *rest, **options)


class PageQuery(Schema):
    """How much of a list, and from where on."""

    limit = Limit(1, MAX_LIMIT, load_default=_DEFAULT_LIMIT)
    cursor = Text(_MAX_CURSOR, pattern="^[A-Za-z0-9_-]+$", load_default=None)


def page_of(row: type[Schema]) -> type[Schema]:
    """Make the schema of a page of such rows."""
    members: dict[str, fields.Field[Any]] = {
        "data": fields.List(fields.Nested(row), required=True),
        "next_cursor": fields.String(
            required=True,
            allow_none=True,
            metadata={"description": "null 表示没有下一页 on the last page"},
        ),
    }
    return cast(type[Schema], Schema.from_dict(members, name=f"{row.__name__}Page"))


def place(query: Mapping[str, Any]) -> str | None:
    """Return where the page before this one ended; ``None`` for the first page.

    Raises:
        CursorInvalid: the cursor is not one that this address gave to this system.
    """
    cursor = query["cursor"]
    if cursor is None:
        return None
    try:
        sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, position = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:].decode()
    except ValueError:
        raise CursorInvalid("the cursor is not one of ours") from None
    # Base64 has several spellings of the same bytes; ours is one.
    if not hmac.compare_digest(mac, _mac(position)) or _encode(sealed) != cursor:
        raise CursorInvalid("the cursor is not one that this address gave to this system")
    return position


def cursor_at(position: str) -> str:
    """Return the cursor that goes on after a position in this list."""
    return _encode(_mac(position) + position.encode())


def page(found: Sequence[T], limit: int, position: Callable[[T], str]) -> dict[str, Any]:
    """Return a page of rows of which one more than ``limit`` was looked up, if there is one."""
    rows = found[:limit]
    more = len(found) > limit
    return {"data": rows, "next_cursor": cursor_at(position(rows[-1])) if more else None}


def _mac(position: str) -> bytes:
    bound = f"{request.path}\x00{caller().system or 0}\x00{position}"
    return the_context().vault.blind_index("cursor", bound)


def _encode(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()
