"""Settling a long month: close to netted against one GROUP BY, statement lines against COPY of the same rows.

Lines are made of legs that are staged once for all formats, most of them ahead, while the month was open. What a run
has left to do is measured for the lines as CSV alone and as CSV and as JSON; and once all of it, with nothing staged
ahead.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store import chunks, staging
from clearinghouse.store.checks.netting import ROLLUPS_EQUAL_A_RECOUNT
from settlement.files import party_statement
from settlement.frozen_run import FrozenRun, read_run
from settlement.netting import net_period
from settlement.staging import stage, stage_ahead
from settlement.statements import csv_format, json_format
from settlement.statements.statement import LINE_COLUMNS, Statement
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure
from tests.benchmarks.long_figures import Lined, Month, figures_of, growth
from tests.benchmarks.long_month import PERIOD, made
from tests.benchmarks.machine import Taken
from tests.benchmarks.netting import grouped

#: How often the lines are made at most, in turns with COPY; what closes a month is done once.
_ROUNDS = 3
_LEGS = "SELECT count(*) FROM legs WHERE period = %s"
#: What the operator's lines are made of, as the books have it and in the lines' order.
_OF_THE_BOOKS = f"""
SELECT t.txn_id, t.txn_ref, t.original_ref, t.business_date, t.occurred_at, t.posted_at, t.kind, host.code,
    host_system.code, issuer.code, issuer_system.code, t.late, g.points, g.obligation_minor, g.fee_kind, r.version,
    g.base_minor, g.fee_minor
FROM legs g JOIN transactions t USING (period, txn_id) JOIN rulebooks r ON r.number = g.rulebook
JOIN hotels host ON host.number = g.host_hotel JOIN hotels issuer ON issuer.number = g.issuer_hotel
JOIN systems host_system ON host_system.number = g.host_system
JOIN systems issuer_system ON issuer_system.number = g.issuer_system
WHERE g.period = {int(PERIOD)} ORDER BY t.business_date, t.occurred_at, host.code, t.txn_ref, g.leg_no"""
_EXPIRED = (
    "SELECT count(*) FROM postings p JOIN entries e USING (period, entry_id)"
    " WHERE p.period = %s AND e.kind = 'expiry'"
)


def measure(bench: Bench) -> list[Figure]:
    """Measure each size once; the books of the largest are left for the pages to be measured on."""
    months = [_month(bench, transactions) for transactions in bench.sizes.months]
    figures = [figure for month in months for figure in figures_of(month)]
    for small, large in pairwise(months):
        figures.extend(growth(small, large))
    return figures


def _month(bench: Bench, transactions: int) -> Month:
    name = made(bench, transactions)
    with bench.opened(name) as context:
        month = _measured(bench, context, transactions)
    if transactions != bench.sizes.months[-1]:
        bench.run(f"DROP DATABASE {name} WITH (FORCE)")
    return month


def _measured(bench: Bench, context: Context, transactions: int) -> Month:
    def tell(text: str) -> None:
        bench.tell(f"{transactions:,} transactions: {text}")

    tell("staging ahead")
    ahead = _staged_ahead(bench, context)
    tell("proving the roll-ups")
    bench.settle_disk()
    recount = _proved(bench, context)
    tell("closing and netting")
    grouping = grouped(bench, context)
    with bench.watched() as closing:
        close(context, PERIOD)
    with bench.watched() as netting:
        net_period(context, PERIOD)
    _proved(bench, context)
    run = read_run(context, PERIOD)
    rounds, lines = [], 0
    of = min(bench.sizes.rounds, _ROUNDS)
    for number in range(1, of + 1):
        tell(f"statements, round {number} of {of}")
        with _as_before_the_run(context):
            lined, lines = _lined(bench, context, run)
        rounds.append(lined)
    tell("statements with nothing staged ahead")
    with context.database.office() as session:
        staging.discard(session, PERIOD)
    at_once, _ = _lined(bench, context, run)
    tell("all legs out of the books by one query")
    out_of_books = _copied_out_of_books(bench, context)
    with context.database.office() as session:
        legs, expired = ((session.row(sql, [PERIOD]) or (0,))[0] for sql in (_LEGS, _EXPIRED))
    return Month(
        transactions, legs, expired, lines, recount, ahead, closing, netting, grouping, rounds, at_once, out_of_books
    )  # fmt: skip


def _staged_ahead(bench: Bench, context: Context) -> Taken:
    """Stage the open month as far as the nights before its closing would, one chunk after the other."""
    bench.settle_disk()
    with bench.watched() as taken:
        while stage_ahead(context) is not None:
            pass
    return taken


@contextmanager
def _as_before_the_run(context: Context) -> Iterator[None]:
    """Take back in the end what a run has staged beside what was staged ahead."""
    with context.database.office() as session:
        ahead = len(chunks.known(session, PERIOD))
    yield
    with context.database.office() as session:
        for number in range(ahead, staging.begun(session, PERIOD)):
            chunks.undo(session, PERIOD, number, "UTC")
        session.run(f"DELETE FROM {chunks.note_of(PERIOD)} WHERE number >= %s", [ahead])


def _lined(bench: Bench, context: Context, run: FrozenRun) -> tuple[Lined, int]:
    """Stage what is not staged and make all statements' lines; return what it took, and how many they are."""
    bench.settle_disk()
    with _peak_memory() as memory, tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        with bench.watched() as staged, ThreadPoolExecutor(staging.PROCESSES) as pool:
            list(pool.map(lambda _: stage(context, run), range(staging.PROCESSES)))
        make = _Maker(context, run, Path(folder))
        with bench.watched() as csv:
            lines = make.all(csv_format.render)
        with bench.watched() as json:
            make.all(json_format.render)
    return Lined(staged, csv, json, _copied(bench, context, run), memory[0]), lines


def _proved(bench: Bench, context: Context) -> Taken:
    """Prove the roll-ups against a full recount of legs and postings."""
    with bench.watched() as taken, context.database.office() as session:
        found = ROLLUPS_EQUAL_A_RECOUNT.run(session)
    if found.wrong:
        raise RuntimeError(found.first)
    return taken


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes statements as a run does, in files that are gone again."""

    context: Context
    run: FrozenRun
    folder: Path

    def all(self, render: Callable[[Statement, BinaryIO], None]) -> int:
        """Make all statements in one format; return how many lines they have."""
        with ThreadPoolExecutor(staging.PROCESSES) as pool:
            return sum(
                pool.map(lambda system: self._one(render, system), (None, *self.run.positions))
            )

    def _one(self, render: Callable[[Statement, BinaryIO], None], system: int | None) -> int:
        statement = party_statement(self.context, self.run, system)
        with tempfile.TemporaryFile(dir=self.folder) as out:
            render(statement, cast(BinaryIO, out))
        return statement.line_count


def _copied(bench: Bench, context: Context, run: FrozenRun) -> float:
    """Return how many rows a second COPY writes to a file: the largest system's lines, laid in a table as they are."""
    largest = max(run.line_counts, key=lambda system: run.line_counts[system])
    with (
        tempfile.TemporaryFile(dir=bench.folder) as file,
        bench.connect(context) as connection,
        connection.cursor() as cursor,
    ):
        csv_format.render(party_statement(context, run, largest), cast(BinaryIO, file))
        file.seek(0)
        columns = ", ".join(f"{name} text" for name in LINE_COLUMNS)
        cursor.execute(f"CREATE UNLOGGED TABLE finished ({columns})")
        cursor.copy_expert("COPY finished FROM STDIN (FORMAT csv, HEADER)", file)
        rows = cursor.rowcount
        connection.commit()
        seconds = []
        for _ in range(3):
            file.seek(0)
            file.truncate()
            with bench.watched() as taken, io.BufferedWriter(_Kept(file), 1 << 20) as out:
                cursor.copy_expert("COPY finished TO STDOUT (FORMAT csv)", out)
            seconds.append(taken.seconds)
        cursor.execute("DROP TABLE finished")
        connection.commit()
    return rows / sorted(seconds)[1]


def _copied_out_of_books(bench: Bench, context: Context) -> Taken:
    """COPY what the operator's lines are made of to a file, as joined and sorted by one query."""
    with (
        tempfile.TemporaryFile(dir=bench.folder) as file,
        bench.connect(context) as connection,
        connection.cursor() as cursor,
        bench.watched() as taken,
        io.BufferedWriter(_Kept(file), 1 << 20) as out,
    ):
        cursor.copy_expert(f"COPY ({_OF_THE_BOOKS}) TO STDOUT (FORMAT csv)", out)
    return taken


class _Kept(io.RawIOBase):
    """Writes to a file and leaves it open."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, block: Any, /) -> int:
        written: int = self._file.write(block)
        return written


@contextmanager
def _peak_memory() -> Iterator[list[float]]:
    """Measure what this process has in memory at most during a ``with`` block, in MiB."""
    found: list[float] = []
    # Linux counts the peak anew from here; elsewhere it is that of the process's whole life.
    Path("/proc/self/clear_refs").write_text("5")
    yield found
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    found.append(int(line.split()[1]) / 1024)
