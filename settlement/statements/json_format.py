"""A whole statement as one JSON object: header, totals, tables and every line.

Amounts are whole fen in members that end in ``_minor``, in the currency that the header names
once. Keys stand in the order of ``Statement``; moments carry the offset of the statement's time
zone. Each line of the statement is one line of the file, so a difference between two files is a
difference between two lines, and the file can be read as a stream.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, BinaryIO

from settlement.statements.amounts import local
from settlement.statements.lines import ReadyLines, line_values, must_count
from settlement.statements.statement import LINE_COLUMNS, Statement

_HEADER = tuple(field.name for field in fields(Statement) if field.name != "lines")
_ROWS_A_WRITE = 1_000
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def render(statement: Statement, out: BinaryIO) -> None:
    """Write the statement, its lines a thousand at a time.

    Raises:
        ValueError: the lines are not as many as the statement says.
    """
    for name in _HEADER:
        member = _encode(_plain(getattr(statement, name), statement.timezone))
        out.write(f"{'{' if name == _HEADER[0] else ''}{_encode(name)}: {member},\n".encode())
    out.write(b'"lines": [\n')
    if isinstance(statement.lines, ReadyLines):
        must_count(statement, statement.lines.write_json(out))
        out.write(b"]}\n" if statement.line_count else b"\n]}\n")
        return
    lines = map(line_text, line_values(statement))
    texts = chain(islice(lines, 1), (f",\n{text}" for text in lines))
    while text := "".join(islice(texts, _ROWS_A_WRITE)):
        out.write(text.encode())
    out.write(b"\n]}\n")


def line_text(values: list[Any]) -> str:
    """Return the values of a line as an object on one line."""
    return _encode(dict(zip(LINE_COLUMNS, values, strict=True)))


def _plain(value: Any, timezone: str) -> Any:
    """Return a header value as JSON has it: records as objects, tuples as lists, dates in ISO 8601."""
    if isinstance(value, datetime):
        return local(value, timezone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item, timezone) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {item.name: _plain(getattr(value, item.name), timezone) for item in fields(value)}
    return value
