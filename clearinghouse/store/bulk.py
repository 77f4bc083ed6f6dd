"""Set-based writing: many rows of many tables in one round trip.

Columns are sent as array literals and unnested by the server. That is as fast as COPY into a temporary
table, needs no staging table, works under row-level security, and serves one row as well as 10,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from clearinghouse.store.database import Session


class Table(NamedTuple):
    """A table to write to: its name and the columns with their types, in the order of the rows' values."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def unnest(self) -> str:
        """Return the row source for one array parameter a column."""
        return "unnest(" + ", ".join(f"%s::{kind}[]" for _, kind in self.columns) + ")"

    def insert(self) -> str:
        """Return the statement that inserts one array parameter a column."""
        names = ", ".join(name for name, _ in self.columns)
        return f"INSERT INTO {self.name} ({names}) SELECT * FROM {self.unnest()}"  # noqa: S608 - names are ours


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
            self._statements.append(target.insert())
            self._parameters.extend(arrays(rows))

    def write(self, session: Session) -> None:
        """Send everything in one round trip."""
        if self._statements:
            session.run("; ".join(self._statements), self._parameters)


def arrays(rows: Sequence[Sequence[object]]) -> list[str]:
    """Turn rows into one array literal a column."""
    return [array(column) for column in zip(*rows, strict=True)]


def array(values: Iterable[object]) -> str:
    """Write an array literal. Strings are quoted and escaped; bytes become hex; ``None`` is NULL."""
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return '"\\\\x' + value.hex() + '"'
    return f'"{value}"' if not isinstance(value, int) else str(int(value))
