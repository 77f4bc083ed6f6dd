"""Importing lines, against COPY of the same lines into one bare table."""

from __future__ import annotations

from pathlib import Path

from clearinghouse.operations.context import Context
from tests.benchmarks.activity import Activity
from tests.benchmarks.bench import Bench, imported
from tests.benchmarks.figures import Figure, per_second, ratio
from tests.benchmarks.machine import Taken

_BARE = (
    "CREATE TABLE bare (host_hotel text, txn_ref text, original_txn_ref text, kind text,"
    " card_number text, business_date date, occurred_at timestamptz, amount_minor bigint,"
    " points bigint)"
)


def measure(bench: Bench) -> list[Figure]:
    """Measure, in turns, importing the lines and copying them."""
    lines = bench.sizes.imported
    template = bench.members(bench.alliance)
    bench.tell(f"import: writing {lines:,} lines")
    pack = Activity(bench.alliance, of=lines).write(bench.folder / "import", lines)
    imports: list[Taken] = []
    copies: list[Taken] = []
    for number in range(1, bench.sizes.rounds + 1):
        bench.tell(f"import: round {number} of {bench.sizes.rounds}")
        with bench.books(template) as context:
            bench.settle_disk()
            with bench.watched() as taken:
                imported(context, pack)
            imports.append(taken)
            copies.append(_copied(bench, context, next(pack.glob("*.csv"))))
    seconds = [taken.seconds for taken in imports]
    return [
        per_second(
            "import.lines", f"lines imported, of {lines:,}", lines, seconds, "≥ 10,000, aim 20,000"
        ),
        ratio(
            "import.to_copy",
            "time of the import to COPY of the same lines into a bare table",
            seconds,
            [taken.seconds for taken in copies],
        ),
        per_second("import.copy", "lines copied", lines, [taken.seconds for taken in copies]),
        _each("import.python", "processor time in Python, a line", lines, imports, "python"),
        _each(
            "import.postgres", "processor time in PostgreSQL, a line", lines, imports, "postgres"
        ),
    ]


def _each(name: str, meaning: str, lines: int, all_taken: list[Taken], what: str) -> Figure:
    return Figure(name, meaning, "µs", tuple(getattr(t, what) / lines * 1e6 for t in all_taken))


def _copied(bench: Bench, context: Context, file: Path) -> Taken:
    with bench.connect(context) as connection, connection.cursor() as cursor:
        cursor.execute(_BARE)
        connection.commit()
        bench.settle_disk()
        with bench.watched() as taken, file.open("rb") as source:
            cursor.copy_expert("COPY bare FROM STDIN (FORMAT csv, HEADER)", source)
            connection.commit()
    return taken
