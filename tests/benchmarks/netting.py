"""Netting a month, against one GROUP BY over its legs; and the whole settlement of that month."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from itertools import islice
from pathlib import Path

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.close import close
from clearinghouse.operations.context import Context
from clearinghouse.operations.post import post
from settlement.netting import net_period
from settlement.run import settle
from tests.benchmarks.bench import Bench, imported
from tests.benchmarks.figures import Figure, ratio
from tests.benchmarks.growth import grow
from tests.benchmarks.machine import Taken
from tests.benchmarks.members import MONTH, MONTH_BEFORE

PERIOD = parse_period(MONTH)
#: Like a hotel's night audit: each batch leaves its own increments for the fold.
_BATCH = 100
_TEMPLATE = "month_to_net"
_GROUP_BY = (
    "SELECT issuer_system, host_system, fee_kind, count(*), sum(obligation_minor), sum(fee_minor)"
    " FROM legs WHERE period = %s GROUP BY issuer_system, host_system, fee_kind"
)
_LEGS = "SELECT count(*) FROM legs WHERE period = %s"
_INCREMENTS = "SELECT count(*) FROM rollup_increments WHERE period = %s"


@dataclass(slots=True)
class _Rounds:
    """What each round took, in seconds."""

    netting: list[float] = field(default_factory=list)
    grouping: list[float] = field(default_factory=list)
    closing: list[float] = field(default_factory=list)


def measure(bench: Bench) -> list[Figure]:
    """Measure netting the month and grouping its legs, in turns."""
    legs, increments = _prepare(bench)
    rounds = _Rounds()
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"netting: round {number} of {bench.sizes.rounds}")
        with bench.books(_TEMPLATE) as context:
            bench.settle_disk()
            rounds.closing.append(_closed(bench, context).seconds)
            rounds.grouping.append(grouped(bench, context).seconds)
            with bench.watched() as taken:
                net_period(context, PERIOD)
            rounds.netting.append(taken.seconds)
    milliseconds = [each * 1000 for each in rounds.netting]
    return [
        ratio(
            "netting.to_group_by",
            f"time of netting {legs:,} legs ({increments:,} increments unfolded) to one GROUP BY over them",
            rounds.netting,
            rounds.grouping,
            "< 1",
        ),
        Figure("netting.stage", "netting, its last fold included", "ms", tuple(milliseconds)),
        Figure(
            "netting.group_by", "GROUP BY", "ms", tuple(each * 1000 for each in rounds.grouping)
        ),
        Figure(
            "netting.closing",
            "closing before it",
            "ms",
            tuple(each * 1000 for each in rounds.closing),
        ),
    ]


def measure_settlement(bench: Bench) -> list[Figure]:
    """Settle the month once, statements and all, and group its legs."""
    legs, _ = _prepare(bench)
    bench.tell(f"settle: {legs:,} legs")
    with bench.books(_TEMPLATE) as context:
        group_by = grouped(bench, context)
        with bench.watched() as settled:
            settle(context, PERIOD)
        lines = _statement_lines(context)
    return [
        Figure(
            "settle.to_group_by",
            f"time of closing, netting, stating and publishing {legs:,} legs to one GROUP BY over them",
            "×",
            (settled.seconds / group_by.seconds,),
        ),
        Figure("settle.whole", "the whole settlement", "s", (settled.seconds,)),
        Figure(
            "settle.lines",
            f"statement lines made, of {lines:,}, each in csv, json and xlsx",
            "/s",
            (lines / settled.seconds,),
        ),
        Figure("settle.python", "processor time in Python", "s", (settled.python,)),
    ]


@cache
def _prepare(bench: Bench) -> tuple[int, int]:
    """Make the template of the month; return its legs and the increments that are not folded."""
    grown = grow(bench, max(bench.sizes.books))
    with bench.books(grown.name, keep=_TEMPLATE) as context:
        for probe in grown.probes:
            # Where growth has been measured they are in the books already, and this changes nothing.
            imported(context, probe)
        bench.tell(f"netting: posting {bench.sizes.unfolded:,} lines in batches")
        lines = islice(_lines(next(grown.rest.glob("*.csv"))), bench.sizes.unfolded)
        while batch := list(islice(lines, _BATCH)):
            post(context, batch)
        settle(context, parse_period(MONTH_BEFORE))
        with context.database.office() as session:
            legs, increments = (session.row(sql, [PERIOD]) or (0,) for sql in (_LEGS, _INCREMENTS))
            return legs[0], increments[0]


def _lines(file: Path) -> Iterator[Line]:
    with file.open(encoding="utf-8", newline="") as source:
        for number, row in enumerate(csv.DictReader(source), start=2):
            yield Line(
                number,
                row["host_hotel"],
                row["txn_ref"],
                row["original_txn_ref"] or None,
                row["kind"],
                row["card_number"],
                date.fromisoformat(row["business_date"]),
                datetime.fromisoformat(row["occurred_at"]),
                int(row["amount_minor"]) if row["amount_minor"] else None,
                int(row["points"]) if row["points"] else None,
            )


def _closed(bench: Bench, context: Context) -> Taken:
    with bench.watched() as taken:
        close(context, PERIOD)
    return taken


def grouped(bench: Bench, context: Context) -> Taken:
    """Group the month's legs once, as somebody would who has no roll-ups."""
    with bench.connect(context) as connection, connection.cursor() as cursor:
        # Once before, so that the copy's pages are at hand as they are after a month of posting.
        cursor.execute(_GROUP_BY, [PERIOD])
        with bench.watched() as taken:
            cursor.execute(_GROUP_BY, [PERIOD])
            cursor.fetchall()
    return taken


def _statement_lines(context: Context) -> int:
    with context.database.office() as session:
        row = session.row(
            "SELECT sum(rows) FROM period_files WHERE period = %s"
            " AND path LIKE 'statements/%%.csv'",
            [PERIOD],
        )
    return int(row[0]) if row else 0
