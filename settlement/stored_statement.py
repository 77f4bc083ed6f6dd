"""A published statement as pages show it: read back from the very JSON that was signed (docs/decisions/0030).

All that stands before its lines is at the beginning of the file, so no more of it is read however long it is. What
comes back is the value that it was rendered from, but for the lines (``settlement.stored_lines``).
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import BooksDoNotBalance, NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import file_parts, frozen, periods
from clearinghouse.store.database import Session
from clearinghouse.store.frozen import StoredFile
from clearinghouse.store.periods import PUBLISHED
from settlement.paths import statement_path
from settlement.published import own_code, seeing
from settlement.statements.statement import Statement

#: Where the lines begin; a text of JSON has no line break in it, so this is nothing else's.
_LINES = b',\n"lines": [\n'
_FIRST_BYTES = 1 << 16
_MOST_BYTES = 64 << 20


def stored_statement(context: Context, party: Party, period: int) -> Statement:
    """Return the party's published statement of a period, without its lines.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, or it has no statement of this party.
    """
    code = own_code(context, party)
    with seeing(context, party) as session:
        file = published_file(session, period, statement_path(code, "json"))
        document = _head(session, period, file)
    known = {field.name for field in fields(Statement)} - {"lines"}
    found = {name: value for name, value in document.items() if name in known}
    statement = _value(Statement, {**found, "lines": []})
    if not isinstance(statement, Statement):
        raise TypeError("a statement is an object")
    return statement


def published_file(session: Session, period: int, path: str) -> StoredFile:
    """Return a file of a published period that this transaction may see.

    Raises:
        NotFound: there is none.
    """
    state = periods.state_of(session, period)
    found = frozen.files_at(session, [period], [path]).get(period) if state in PUBLISHED else None
    if not found:
        raise NotFound(f"there is no such statement for {format_period(period)}")
    return found[0]


def _head(session: Session, period: int, file: StoredFile) -> dict[str, Any]:
    content, wanted = b"", _FIRST_BYTES
    while _LINES not in content:
        if len(content) >= min(file.size, _MOST_BYTES):
            raise BooksDoNotBalance(f"{file.path} of {format_period(period)} is no statement")
        content += file_parts.part(session, period, file.path, len(content), wanted)
        wanted *= 2
    document: dict[str, Any] = json.loads(content.partition(_LINES)[0] + b"}")
    return document


def _value(kind: Any, plain: Any) -> Any:
    """Return a value as it was before it was written as JSON: records, dates and moments, by its type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if plain is None else _value(inner[0], plain)
    if kind in (date, datetime):
        return kind.fromisoformat(plain)
    if origin is tuple and inner[-1] is not Ellipsis:
        return tuple(_value(each, value) for each, value in zip(inner, plain, strict=True))
    if origin is tuple:
        return tuple(_value(inner[0], value) for value in plain)
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**{name: _value(_types(kind)[name], value) for name, value in plain.items()})
    return plain


@cache
def _types(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
