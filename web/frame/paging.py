"""Pages of long lists, by keyset: each goes on behind the last row of the one before, however long the list is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from flask import request, url_for
from werkzeug.exceptions import BadRequest

T = TypeVar("T")
_LONGEST = 500
_MOST = 1 << 62


class Page(NamedTuple, Generic[T]):
    """Some rows of a list; ``after`` is where the next page begins, ``None`` on the last."""

    rows: list[T]
    after: tuple[Any, ...] | None

    @property
    def next_url(self) -> str | None:
        """Return the address of the next page, with the same filters."""
        return None if self.after is None else here(after=cursor(self.after))


def page_of(rows: Iterable[T], size: int, key: Any) -> Page[T]:
    """Cut a list that was read with one row more than a page has; ``key`` tells a row's place."""
    found = list(rows)
    shown = found[:size]
    return Page(shown, key(shown[-1]) if len(found) > size else None)


def here(**changed: object) -> str:
    """Return the address of this page with other arguments; ``None`` takes one away."""
    # What begins so is for ``url_for`` itself: it would make the link lead elsewhere.
    asked = {name: text for name, text in request.args.items() if name[:1] != "_"}
    kept = {**asked, **(request.view_args or {})}
    for name in ("lang", "endpoint"):
        kept.pop(name, None)
    wanted = {name: value for name, value in {**kept, **changed}.items() if value is not None}
    return url_for(str(request.endpoint), **wanted)


def cursor(place: tuple[Any, ...]) -> str:
    """Write a place in a list for an address."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place(types: tuple[type, ...]) -> tuple[Any, ...] | None:
    """Read the place behind which this page begins: values of these types.

    Raises:
        BadRequest: it is none of ours.
    """
    text = request.args.get("after")
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(f"{text[:_LONGEST]}==="))
    except (binascii.Error, ValueError):
        raise BadRequest from None
    if (
        not isinstance(found, list)
        or len(found) != len(types)
        or any(type(value) is not wanted for value, wanted in zip(found, types, strict=True))
        or not all(_is_storable(value) for value in found)
    ):
        raise BadRequest
    return tuple(found)


def _is_storable(value: object) -> bool:
    """Tell whether the database could have the value: whole numbers of 64 bits, texts without a NUL."""
    if isinstance(value, str):
        return "\x00" not in value
    return not isinstance(value, int) or abs(value) < _MOST
