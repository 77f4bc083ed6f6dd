"""Settling a long month: close to netted against one GROUP BY, statement lines against COPY of the same rows."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.store.checks.netting import ROLLUPS_EQUAL_A_RECOUNT
from settlement.files import party_statement
from settlement.frozen_run import FrozenRun, read_run
from settlement.lines import stage
from settlement.netting import net_period
from settlement.statements import csv_format
from settlement.statements.statement import LINE_COLUMNS
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure
from tests.benchmarks.long_month import PERIOD, make
from tests.benchmarks.machine import Taken
from tests.benchmarks.netting import grouped

#: As many statements are made at a time as the run makes.
_RENDERERS = 2
_LEGS = "SELECT count(*) FROM legs WHERE period = %s"
_EXPIRED = (
    "SELECT count(*) FROM postings p JOIN entries e USING (period, entry_id)"
    " WHERE p.period = %s AND e.kind = 'expiry'"
)


@dataclass(slots=True)
class _Month:
    """What one month took; ``copied`` is COPY of finished rows to a file, rows a second."""

    transactions: int
    legs: int
    expired: int
    lines: int
    recount: Taken
    closing: Taken
    netting: Taken
    grouping: Taken
    staging: Taken
    csv: Taken
    copied: float
    memory_mib: float

    @property
    def lines_a_second(self) -> float:
        return self.lines / (self.staging.seconds + self.csv.seconds)


def measure(bench: Bench) -> list[Figure]:
    """Measure each size once, the books made for it and gone again."""
    months = [_month(bench, transactions) for transactions in bench.sizes.months]
    figures = [figure for month in months for figure in _figures(month)]
    for small, large in pairwise(months):
        rows = large.transactions / small.transactions
        name = f"{large.transactions}_to_{small.transactions}"
        for what, cost in (("netting", _netting), ("lines", _lining)):
            figures.append(
                Figure(
                    f"long.{what}_{name}",
                    f"cost of {what} for {rows:.0f} times the transactions, to {rows:.0f} times the cost",
                    "×",
                    (cost(large) / cost(small) / rows,),
                    "about 1 or less",
                )
            )
    return figures


def _netting(month: _Month) -> float:
    return month.closing.seconds + month.netting.seconds


def _lining(month: _Month) -> float:
    return month.staging.seconds + month.csv.seconds


def _month(bench: Bench, transactions: int) -> _Month:
    name = f"month_{transactions}"
    make(bench, transactions, name)
    try:
        with bench.opened(name) as context:
            return _measured(bench, context, transactions)
    finally:
        bench.run(f"DROP DATABASE {name} WITH (FORCE)")


def _measured(bench: Bench, context: Context, transactions: int) -> _Month:
    def tell(text: str) -> None:
        bench.tell(f"{transactions:,} transactions: {text}")

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
    tell("statements")
    with _peak_memory() as memory, tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        with bench.watched() as staging, ThreadPoolExecutor(_RENDERERS) as pool:
            list(pool.map(lambda _: stage(context, run), range(_RENDERERS)))
        made = _Maker(context, run, Path(folder))
        with bench.watched() as csv, ThreadPoolExecutor(_RENDERERS) as pool:
            lines = sum(pool.map(made, (None, *run.positions)))
    tell("COPY of the same rows")
    copied = _copied(bench, context, run)
    with context.database.office() as session:
        legs, expired = ((session.row(sql, [PERIOD]) or (0,))[0] for sql in (_LEGS, _EXPIRED))
    return _Month(
        transactions, legs, expired, lines, recount, closing, netting, grouping, staging, csv, copied, memory[0]
    )  # fmt: skip


def _proved(bench: Bench, context: Context) -> Taken:
    """Prove the roll-ups against a full recount of legs and postings."""
    with bench.watched() as taken, context.database.office() as session:
        found = ROLLUPS_EQUAL_A_RECOUNT.run(session)
    if found.wrong:
        raise RuntimeError(found.first)
    return taken


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one party's CSV as a run does, in a file that is gone again."""

    context: Context
    run: FrozenRun
    folder: Path

    def __call__(self, system: int | None) -> int:
        statement = party_statement(self.context, self.run, system)
        with tempfile.TemporaryFile(dir=self.folder) as out:
            csv_format.render(statement, cast(BinaryIO, out))
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


def _figures(month: _Month) -> Iterator[Figure]:
    size = month.transactions
    to_netted = _netting(month)

    def figure(name: str, meaning: str, unit: str, value: float, bar: str = "") -> Figure:
        return Figure(f"long.{name}_{size}", meaning, unit, (value,), bar)

    yield figure(
        "netting_to_group_by",
        f"time of netting {month.legs:,} legs to one GROUP BY over them",
        "×",
        month.netting.seconds / month.grouping.seconds,
        "< 1",
    )
    yield figure(
        "close_to_netted",
        f"from close to netted, with the expiry of {month.expired:,} lots",
        "s",
        to_netted,
    )
    yield figure(
        "close_to_netted_to_group_by",
        "the same, to one GROUP BY",
        "×",
        to_netted / month.grouping.seconds,
        "< 1",
    )
    yield figure("group_by", "GROUP BY", "s", month.grouping.seconds)
    yield figure("recount", "full recount of the roll-ups", "s", month.recount.seconds)
    yield figure(
        "lines",
        f"statement lines made, of {month.lines:,}, as csv; the legs staged for it",
        "/s",
        month.lines_a_second,
    )
    yield figure(
        "lines_to_copy",
        f"that, to COPY of finished rows ({month.copied:,.0f}/s)",
        "×",
        month.lines_a_second / month.copied,
        "≥ 0.5",
    )
    yield figure(
        "line_processor",
        "processor time a line, Python's and PostgreSQL's",
        "µs",
        sum(t.python + t.postgres for t in (month.staging, month.csv)) / month.lines * 1e6,
    )
    yield figure("staging", "of it staging, on the clock", "s", month.staging.seconds)
    yield figure(
        "memory", "most that the process had in memory meanwhile", "MiB", month.memory_mib, "< 1024"
    )
