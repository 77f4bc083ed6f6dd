"""Set-based writing: many rows of many tables in one round trip.

Columns are sent as array literals and unnested by the server. That is as fast as COPY into a temporary
table, needs no staging table, works under row-level security, and serves one row as well as 10,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from clearinghouse.store.database import Session


class Table:
    """A table to write to: its name and the columns with their types, in the order of the rows' values."""

    __slots__ = ("_insert", "_unnest", "columns", "name")

    def __init__(self, name: str, columns: tuple[tuple[str, str], ...]) -> None:
        self.name = name
        self.columns = columns
        # Written once: each call at a till inserts into eight tables.
        self._unnest = "unnest(" + ", ".join(f"%s::{kind}[]" for _, kind in columns) + ")"
        names = ", ".join(column for column, _ in columns)
        self._insert = f"INSERT INTO {name} ({names}) SELECT * FROM {self._unnest}"

    def unnest(self) -> str:
        """Return the row source for one array parameter a column."""
        return self._unnest

    def insert(self) -> str:
        """Return the statement that inserts one array parameter a column."""
        return self._insert


def table(name: str, columns: str) -> Table:
    """Describe a table from ``column type, column type, …``."""
    pairs = (column.split() for column in columns.split(","))
    return Table(name, tuple((column, kind) for column, kind in pairs))


class Batch:
    """Rows for several tables, written together in the order in which they were added."""

    def __init__(self) -> None:
        self._statements: list[str] = []
        self._parameters: list[str] = []

    def insert(self, target: Table, rows: Sequence[Sequence[object]]) -> None:
        """Add rows; each has the target's columns in order."""
        if rows:
            self.add(target.insert(), arrays(rows))

    def add(self, statement: str, parameters: Sequence[str]) -> None:
        """Add another statement, one of a few constant texts."""
        self._statements.append(statement)
        self._parameters.extend(parameters)

    def write(self, session: Session) -> int:
        """Send everything in one round trip; return how many rows the last statement touched."""
        if not self._statements:
            return 0
        calls = [session.prepared(statement) for statement in self._statements]
        return session.run("; ".join(calls), self._parameters)


def arrays(rows: Sequence[Sequence[object]]) -> list[str]:
    """Turn rows into one array literal a column."""
    return [array(column) for column in zip(*rows, strict=True)]


def array(values: Iterable[object]) -> str:
    """Write an array literal of values of one type; ``None`` is NULL.

    A sequence of lines has some 70 values a line, so each type is written by what is quickest for it.
    """
    column = list(values)
    sample = next((value for value in column if value is not None), None)
    kind = type(sample)
    if kind is int:
        return "{" + repr(column)[1:-1].replace("None", "NULL") + "}"
    if kind is str:
        return _text_array(column)
    if kind is UUID:
        return _joined(column, lambda value: f"{value.int:032x}")
    if kind is bytes:
        return _joined(column, lambda value: f'"\\\\x{value.hex()}"')
    if isinstance(sample, int):
        return _joined(column, lambda value: repr(value.__int__()))
    # Dates, moments and truth values: none of them needs quotes inside an array.
    return "{" + ",".join(map(str, column)).replace("None", "NULL") + "}"


def _joined(column: list[Any], write: Callable[[Any], str]) -> str:
    """Write values one by one. Asking first whether one is ``None`` would cost as much as writing them."""
    try:
        return "{" + ",".join(map(write, column)) + "}"
    except AttributeError:
        return "{" + ",".join(["NULL" if v is None else write(v) for v in column]) + "}"


def _text_array(column: list[Any]) -> str:
    """Write an array of strings, quoted; the common case that nothing needs escaping is one join."""
    if None not in column:
        joined = '","'.join(column)
        if "\\" not in joined and joined.count('"') == 2 * (len(column) - 1):
            return '{"' + joined + '"}'
    return _joined(column, _quoted)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
