"""Reading JSON into the values of this package.

A member that a value does not have is passed over: a newer service may tell more. One that is missing is ``None``
where it may be, or its default.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

_Reader = Callable[[Any], Any]


class Unreadable(ValueError):
    """An answer is not what it should be; the text says what, never which value."""


def read(kind: type[T], document: object) -> T:
    """Return the value that a JSON document tells of.

    Raises:
        Unreadable: a member is missing or of another type.
    """
    if not isinstance(document, Mapping):
        raise Unreadable(f"{kind.__name__} is no object")
    values = {}
    for name, reader, required in _plan(cast(Any, kind)):
        if name in document:
            try:
                values[name] = reader(document[name])
            except Unreadable as reason:
                raise Unreadable(f"{kind.__name__}.{name}: {reason}") from None
        elif required:
            raise Unreadable(f"{kind.__name__} has no {name}")
    return kind(**values)


@cache
def _plan(kind: Any) -> list[tuple[str, _Reader, bool]]:
    """Return for each member its name, its reader, and whether it must be there."""
    hints = get_type_hints(kind)
    return [
        (each.name, _reader(hints[each.name]), each.default is MISSING) for each in fields(kind)
    ]


def _reader(hint: Any) -> _Reader:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        (reader,) = (_reader(each) for each in inside if each is not type(None))
        return lambda value: None if value is None else reader(value)
    if origin is tuple:
        return partial(_tuple, _reader(inside[0]))
    if origin is dict:
        return partial(_plain, dict)
    if is_dataclass(hint):
        return partial(read, hint)  # type: ignore[arg-type]  # a hint is a type
    if hint in _FROM_TEXT:
        return partial(_parsed, _FROM_TEXT[hint])
    return partial(_plain, hint)


#: ``datetime`` is a ``date``, so each is looked up by itself.
_FROM_TEXT: dict[type, Callable[[str], Any]] = {
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
}


def _tuple(reader: _Reader, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise Unreadable("no list")
    return tuple(reader(each) for each in value)


def _plain(kind: type, value: Any) -> Any:
    # True is a number to Python, not to anybody else.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Unreadable(f"no {kind.__name__}")
    return value


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    try:
        return parse(_plain(str, value))
    except (ValueError, InvalidOperation):
        raise Unreadable("not written as it should be") from None
