"""The lines of a statement as plain values, read once and counted, for the formats that list them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, BinaryIO, Protocol, runtime_checkable

from clearinghouse.domain.calendar import zone
from settlement.statements.statement import LINE_COLUMNS, Statement, StatementLine

_VALUES = attrgetter(*LINE_COLUMNS)
_BUSINESS_DATE = LINE_COLUMNS.index("business_date")
_OCCURRED_AT = LINE_COLUMNS.index("occurred_at")
_POSTED_AT = LINE_COLUMNS.index("posted_at")


@runtime_checkable
class ReadyLines(Protocol):
    """Lines that are made where they are stored: whole files of them are not put together in Python."""

    def write_csv(self, out: BinaryIO) -> int:
        """Write the lines as ``csv_format`` would, without a header; return how many there are."""

    def write_json(self, out: BinaryIO) -> int:
        """Write the lines as ``json_format`` would, a line each; return how many there are."""


def counted_lines(statement: Statement) -> Iterator[StatementLine]:
    """Yield every line of the statement once.

    Raises:
        ValueError: there are more or fewer lines than the statement says; what was written is no
        statement.
    """
    count = 0
    for count, line in enumerate(statement.lines, start=1):  # noqa: B007 (counts even an empty loop)
        yield line
    must_count(statement, count)


def must_count(statement: Statement, count: int) -> None:
    """Raise ``ValueError`` if so many lines were read that are not those of the statement."""
    if count != statement.line_count:
        raise ValueError(
            f"statement {statement.statement_no} has {statement.line_count} lines, {count} were read"
        )


def line_values(statement: Statement) -> Iterator[list[Any]]:
    """Yield the values of every line in the order of ``LINE_COLUMNS``, dates and moments in ISO 8601.

    Moments are in the statement's time zone and carry its offset. Raises as ``counted_lines``.
    """
    for line in counted_lines(statement):
        yield values_of(line, statement.timezone)


def values_of(line: StatementLine, timezone: str) -> list[Any]:
    """Return the values of one line, as :func:`line_values` does."""
    there = zone(timezone)
    values = list(_VALUES(line))
    values[_BUSINESS_DATE] = values[_BUSINESS_DATE].isoformat()
    values[_OCCURRED_AT] = values[_OCCURRED_AT].astimezone(there).isoformat()
    values[_POSTED_AT] = values[_POSTED_AT].astimezone(there).isoformat()
    return values
