"""The period's own files besides statements: positions, obligations, points liability (interfaces.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO

from clearinghouse.domain.netting import Position
from settlement.frozen_run import FrozenRun

POSITION_COLUMNS = (
    "system_code", "receivable_minor", "payable_minor", "fees_minor", "vat_minor",
    "adjustments_minor", "net_minor",
)  # fmt: skip
OBLIGATION_COLUMNS = ("debtor_system", "creditor_system", "kind", "count", "amount_minor")
LIABILITY_COLUMNS = (
    "hotel_code", "opening", "issued", "redeemed", "expired", "reversed", "closing", "debts",
)  # fmt: skip


#: A row of ``POSITION_COLUMNS``: the system's code, and figures in fen.
PositionRow = tuple[str, int, int, int, int, int, int]


def position_row(code: str, position: Position) -> PositionRow:
    """Return a position as the row that people and scripts read."""
    return (
        code, position.receivable_minor, position.payable_minor, position.fees_minor,
        position.vat_minor, position.adjustments_minor, position.net_minor,
    )  # fmt: skip


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a table as CSV: UTF-8, a header, lines that end in a line feed."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()


def tables(run: FrozenRun) -> dict[str, tuple[BytesIO, int]]:
    """Return the CSV files of a period by path, each with how many rows it has."""
    systems, hotels = run.directory.systems, run.directory.hotels
    positions = [position_row(systems[p.system].code, p) for p in run.positions.values()]
    obligations = [
        (systems[o.debtor].code, systems[o.creditor].code, o.kind, o.count, o.amount_minor)
        for o in run.obligations
    ]
    liability = [(hotels[row.hotel].code, *row[1:]) for row in run.liability]
    return {
        name: (BytesIO(csv_bytes(columns, rows)), len(rows))
        for name, columns, rows in (
            ("positions.csv", POSITION_COLUMNS, positions),
            ("obligations.csv", OBLIGATION_COLUMNS, obligations),
            ("points_liability.csv", LIABILITY_COLUMNS, liability),
        )
    }
