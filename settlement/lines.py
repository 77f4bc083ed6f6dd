"""The lines of a statement, as the store has them in order, once they are known to sum to its totals."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, cast

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.operations.context import Context
from clearinghouse.store import statement_lines
from clearinghouse.store.database import Session
from clearinghouse.store.statement_lines import LineSums, Wanted
from settlement.adjustment_lines import adjustment_lines, adjustments_of
from settlement.frozen_run import FrozenRun, statement_no
from settlement.staging import stage
from settlement.statements.csv_format import row_text
from settlement.statements.json_format import line_text
from settlement.statements.lines import values_of
from settlement.statements.statement import LINE_COLUMNS, OPERATOR, StatementLine

_OCCURRED_AT = LINE_COLUMNS.index("occurred_at")
_POSTED_AT = LINE_COLUMNS.index("posted_at")
_WRITE_BYTES = 1 << 20


class Lines:
    """The lines of one statement; PostgreSQL makes them, and none stays in memory.

    Each format reads them anew. Before the first they are added up: a statement whose lines do not sum to its totals
    is not rendered. Nothing is read before that, so a preview may hold the lines of a month that is still open.
    """

    def __init__(self, context: Context, run: FrozenRun, system: int | None, legs: int) -> None:
        self._legs, count = legs, legs + len(adjustments_of(run, system))
        self._context = context
        self._run = run
        self._system = system
        self._code = OPERATOR if system is None else run.directory.systems[system].code
        self._wanted = Wanted(run.period, system, statement_no(run, self._code), count)
        self._foots = False
        self.count = count

    def __iter__(self) -> Iterator[StatementLine]:
        """Yield the lines in their order.

        Raises:
            BooksDoNotBalance: they do not sum to the frozen position.
        """
        self._prepare()
        with self._context.database.office() as session:
            for row in statement_lines.lines(session, self._wanted):
                values = [*row]
                values[_OCCURRED_AT] = datetime.fromisoformat(values[_OCCURRED_AT])
                values[_POSTED_AT] = datetime.fromisoformat(values[_POSTED_AT])
                yield StatementLine(*values)
        yield from self._adjusted()

    def write_csv(self, out: BinaryIO) -> int:
        """Write the lines as CSV without a header; return how many there are. Raises as iterating does."""
        written = self._write(statement_lines.copy_csv, out)
        lines = self._adjusted()
        timezone = self._run.rulebook.timezone
        out.writelines(row_text(values_of(line, timezone)).encode() for line in lines)
        return written + len(lines)

    def write_json(self, out: BinaryIO) -> int:
        """Write the lines as JSON objects with commas between; return how many. Raises as iterating does."""
        written = self._write(statement_lines.copy_json, out)
        lines = self._adjusted()
        for line in lines:
            end = "\n" if line.line_no == self.count else ",\n"
            out.write((line_text(values_of(line, self._run.rulebook.timezone)) + end).encode())
        return written + len(lines)

    def _adjusted(self) -> list[StatementLine]:
        return adjustment_lines(self._run, self._system, self._legs)

    def _write(self, copy: Callable[[Session, Wanted, BinaryIO], int], out: BinaryIO) -> int:
        self._prepare()
        # The server sends a row at a time: they are gathered in C, not handed on by a call of Python each.
        with (
            io.BufferedWriter(_Onward(out), _WRITE_BYTES) as gathered,
            self._context.database.office() as session,
        ):
            return copy(session, self._wanted, cast(BinaryIO, gathered))

    def _prepare(self) -> None:
        if self._foots:
            return
        run = self._run
        stage(self._context, run)
        with self._context.database.office() as session:
            found = statement_lines.sums(session, self._wanted)
        if found != self._expected() or not self._adjustments_foot():
            raise BooksDoNotBalance(
                f"the lines of {self._code} for {format_period(run.period)} do not sum to its totals"
            )
        self._foots = True

    def _adjustments_foot(self) -> bool:
        """Tell whether the adjustments between systems sum to what is frozen of them."""
        run, system = self._run, self._system
        added = sum(row.amount_minor for row in adjustments_of(run, system) if not row.is_fee)
        position = run.total if system is None else run.positions[system]
        return added == position.adjustments_minor

    def _expected(self) -> LineSums:
        """Return what the lines of legs must come to: the frozen totals, but for fees that are adjustments."""
        run, system = self._run, self._system
        position = run.total if system is None else run.positions[system]
        corrected = sum(
            row.amount_minor
            for row in run.adjustments
            if row.is_fee and system in (None, row.system)
        )
        fees = position.fees_minor + corrected
        if system is None:
            return LineSums(self._legs, position.payable_minor, position.receivable_minor, -fees)
        return LineSums(self._legs, position.receivable_minor, position.payable_minor, fees)


class _Onward(io.RawIOBase):
    """Hands what it is given on to a file that stays open."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, block: Any, /) -> int:
        return self._out.write(block)
