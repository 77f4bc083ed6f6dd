"""The lines of a statement as CSV: what scripts read and compare.

One header row with exactly the contract's columns (interfaces.md), UTF-8 without a byte order mark
like the alliance pack, every row ended by one line feed. A field is quoted only where it holds a
comma, a quote or a line break. Nothing is written for what does not apply; booleans are ``true``
and ``false``, amounts whole fen, dates ISO 8601, moments ISO 8601 in the statement's time zone
with its offset.

A reference of another member may begin with ``=``, ``+``, ``-`` or ``@``, which a spreadsheet that
opens the file takes for a formula. It is written as it is all the same: the reference is the key
by which both sides reconcile, and a changed key, or one changed back by half of the readers, is a
worse fault. People are given the workbook, in which such a text is text and Chinese needs no mark;
a CSV is for import, as UTF-8 and with its columns declared as text.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO

from settlement.statements.lines import ReadyLines, line_values, must_count
from settlement.statements.statement import LINE_COLUMNS, Statement

_COMMAS = len(LINE_COLUMNS) - 1
_ROWS_A_WRITE = 1_000


def render(statement: Statement, out: BinaryIO) -> None:
    """Write the statement's lines, a thousand at a time.

    Raises:
        ValueError: the lines are not as many as the statement says.
    """
    out.write((",".join(LINE_COLUMNS) + "\n").encode())
    if isinstance(statement.lines, ReadyLines):
        must_count(statement, statement.lines.write_csv(out))
        return
    rows = map(row_text, line_values(statement))
    while text := "".join(islice(rows, _ROWS_A_WRITE)):
        out.write(text.encode())


def row_text(values: list[Any]) -> str:
    """Return the values of a line as a row, with its line feed."""
    fields = [value if type(value) is str else _text(value) for value in values]
    row = ",".join(fields)
    # One look at the whole row is enough for almost all of them.
    if row.count(",") > _COMMAS or '"' in row or "\n" in row or "\r" in row:
        row = ",".join(map(_quoted, fields))
    return row + "\n"


def _text(value: int | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower()


def _quoted(field: str) -> str:
    if not any(mark in field for mark in ',"\r\n'):
        return field
    return '"' + field.replace('"', '""') + '"'
