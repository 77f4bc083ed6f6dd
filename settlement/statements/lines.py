"""The lines of a statement as plain values, read once and counted, for the formats that list them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from clearinghouse.domain.calendar import zone
from settlement.statements.statement import LINE_COLUMNS, Statement, StatementLine

_VALUES = attrgetter(*LINE_COLUMNS)
_BUSINESS_DATE = LINE_COLUMNS.index("business_date")
_OCCURRED_AT = LINE_COLUMNS.index("occurred_at")
_POSTED_AT = LINE_COLUMNS.index("posted_at")


def counted_lines(statement: Statement) -> Iterator[StatementLine]:
    """Yield every line of the statement once.

    Raises:
        ValueError: there are more or fewer lines than the statement says; what was written is no
        statement.
    """
    count = 0
    for count, line in enumerate(statement.lines, start=1):  # noqa: B007 (counts even an empty loop)
        yield line
    if count != statement.line_count:
        raise ValueError(
            f"statement {statement.statement_no} has {statement.line_count} lines, {count} were read"
        )


def line_values(statement: Statement) -> Iterator[list[Any]]:
    """Yield the values of every line in the order of ``LINE_COLUMNS``, dates and moments in ISO 8601.

    Moments are in the statement's time zone and carry its offset. Raises as ``counted_lines``.
    """
    timezone = zone(statement.timezone)
    for line in counted_lines(statement):
        values = list(_VALUES(line))
        values[_BUSINESS_DATE] = values[_BUSINESS_DATE].isoformat()
        values[_OCCURRED_AT] = values[_OCCURRED_AT].astimezone(timezone).isoformat()
        values[_POSTED_AT] = values[_POSTED_AT].astimezone(timezone).isoformat()
        yield values
