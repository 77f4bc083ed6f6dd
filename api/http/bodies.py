"""Reading JSON bodies: strictly, to a bounded size and depth, in one pass (and marshmallow's one after it)."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import marshmallow
from flask import Request
from webargs.core import missing
from webargs.flaskparser import FlaskParser

from api.http.problems import ProblemError

#: The largest JSON body; what streams (a batch) sets its own limit.
MAX_BODY_BYTES = 1 << 20
MAX_DEPTH = 16


class BodyParser(FlaskParser):
    """Parses what a request brings, and tells what does not fit as a problem with JSON pointers."""

    # Nothing that is not documented is taken, in a body or in an address.
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012  webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "querystring": marshmallow.RAISE,
        "form": marshmallow.RAISE,
        "json": marshmallow.RAISE,
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002  webargs calls it so
        """Return the body's value; ``missing`` where there is no body."""
        raw = req.get_data(cache=True)
        if not raw:
            return missing
        if not req.is_json:
            raise ProblemError("content_type_unsupported")
        return read_json(raw)

    def handle_error(self, error: marshmallow.ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Tell which members do not fit."""
        messages = error.messages if isinstance(error.messages, dict) else {"json": error.messages}
        found: list[tuple[str, str]] = []
        for location, inside in messages.items():
            _collect(inside, "" if location == "json" else f"/{location}", found)
        raise ProblemError("request_invalid", errors=found)


def read_json(raw: bytes) -> Any:
    """Return the value of a JSON text (RFC 8259): UTF-8, finite numbers, no name twice, not too deep.

    Raises:
        ProblemError: it is not such a text.
    """
    try:
        value = _decoder.decode(raw.decode())
    except (ValueError, RecursionError):
        raise ProblemError("json_invalid") from None
    # Counting brackets is cheap, and a text with few can't be deep.
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ProblemError("json_invalid", f"the body is nested deeper than {MAX_DEPTH} levels")
    # Only an escape can bring what no text of ours holds: half a character, or the character NUL.
    if b"\\u" in raw and not _storable(value):
        raise ProblemError("json_invalid", "a text holds NUL or half a surrogate pair")
    return value


def _no_constant(_: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


_decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_once)


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        inside = [part for part in level if isinstance(part, dict | list)]
        deepest += bool(inside)
        level = [c for part in inside for c in (part.values() if isinstance(part, dict) else part)]
        if deepest > MAX_DEPTH:
            break
    return deepest


def _storable(value: Any) -> bool:
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, str):
            if "\x00" in part or any("\ud800" <= c <= "\udfff" for c in part):
                return False
        elif isinstance(part, dict):
            left.extend(part)
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
    return True


def _collect(messages: Any, pointer: str, found: list[tuple[str, str]]) -> None:
    """Turn marshmallow's messages into (JSON pointer, what is wrong)."""
    if isinstance(messages, dict):
        for name, inside in messages.items():
            if name == "_schema":
                _collect(inside, pointer, found)
            else:
                step = str(name)[:64].replace("~", "~0").replace("/", "~1")
                _collect(inside, f"{pointer}/{step}", found)
    elif isinstance(messages, list):
        for inside in messages:
            _collect(inside, pointer, found)
    else:
        found.append((pointer, str(messages)))
