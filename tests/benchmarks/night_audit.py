"""The night audit: a batch received and answered, against an import of the same lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from clearinghouse.operations.batches import Format, receive, work_off
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.clients import create_client
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from tests.benchmarks.activity import Activity
from tests.benchmarks.bench import Bench, imported
from tests.benchmarks.figures import Figure, per_second, ratio

#: The batch comes when its month is just over.
_RECEIVED = datetime(2025, 4, 1, 4, tzinfo=UTC)


def measure(bench: Bench) -> list[Figure]:
    """Measure, in turns, a batch of one hotel and the import of the same lines."""
    lines = bench.sizes.at_one_hotel
    template = bench.opening(bench.alliance)
    activity = Activity(
        bench.alliance, of=lines, one_hotel=True, at_home=0, same_anywhere=True, opened=True
    )
    pack = activity.write(bench.folder / "night-audit", lines)
    batches: list[float] = []
    imports: list[float] = []
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"night audit: round {number} of {bench.sizes.rounds}")
        with bench.books(template) as context:
            bench.settle_disk()
            with bench.watched() as taken:
                imported(context, pack)
            imports.append(taken.seconds)
        with bench.books(template) as context:
            then = replace(context, clock=lambda: _RECEIVED)
            party = _hotel(then)
            bench.settle_disk()
            with (
                bench.watched() as taken,
                next(pack.glob("transactions-*.csv")).open("rb") as body,
            ):
                receive(then, party, "night", Format.CSV, body)
                work_off(then)
            batches.append(taken.seconds)
            _must_be_answered(then, lines)
    return [
        ratio("batch.to_import", "time of a batch to an import of the same lines", batches, imports, "about 1"),
        per_second("batch.lines", "lines received and answered", lines, batches),
    ]  # fmt: skip


def _hotel(context: Context) -> Party:
    """Make a client of the first system, whose first hotel sends the batch."""
    create_client(context, "S00", "night audit", Authority("bench", "benchmark"))
    with context.database.office() as session:
        row = session.row("SELECT number, system FROM clients ORDER BY number DESC LIMIT 1")
    if row is None:
        raise RuntimeError("the client is gone")
    return Party(row[0], row[1], None, frozenset())


def _must_be_answered(context: Context, lines: int) -> None:
    with context.database.office() as session:
        row = session.row("SELECT count(*) FROM transactions WHERE business_date >= '2025-03-01'")
    if row is None or row[0] < lines * 0.99:
        raise RuntimeError(f"of {lines} lines of the batch {row} are in the books")
