"""`python -m tests.model PACK… [--expected DIR]`: import and close each month, compare.

The last part of a pack's path is its period, `YYYY-MM`. With --expected, DIR/YYYY-MM holds
positions.csv, obligations.csv, points_liability.csv and rejections.csv to be equalled.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

from . import Importer, Model, Rejection

Lines = set[tuple[str, ...]]


def answers(model: Model, period: str, rejections: list[Rejection]) -> dict[str, Lines]:
    """What the model says after a month, in the columns of the expected files."""
    positions = model.positions(period)
    owed = model.obligations(period)
    liability = model.points_liability(period)
    return {
        "positions.csv": {
            _line(code, row.receivable, row.payable, row.fees, row.vat, row.net)
            for code, row in positions.items()
        },
        "obligations.csv": {_line(*key, row.amount) for key, row in owed.items()},
        "points_liability.csv": {
            _line(hotel, row.closing) for hotel, row in liability.items() if row.closing
        },
        "rejections.csv": {
            _line(one.file, one.line, one.host_hotel, one.txn_ref, one.code) for one in rejections
        },
    }


def _line(*values: str | int) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def differences(expected: Path, ours: dict[str, Lines]) -> int:
    """Print each file's verdict and its first differences; returns how many lines differ."""
    total = 0
    for name, lines in ours.items():
        with (expected / name).open(encoding="utf-8", newline="") as file:
            theirs = {tuple(row) for row in list(csv.reader(file))[1:]}
        print(f"  {name}: {len(lines)} lines, {len(lines ^ theirs)} differ")
        for line in sorted(lines ^ theirs)[:10]:
            print("   ", "only model   " if line in lines else "only expected", *line)
        total += len(lines ^ theirs)
    return total


def main() -> int:
    """Run the packs in the order given. Exit code 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="tests.model", description=__doc__)
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--expected", type=Path)
    options = parser.parse_args()
    importer = Importer(Model())
    wrong = 0
    for pack in options.packs:
        begun = time.perf_counter()
        rejections = importer.load(pack)
        importer.model.close(pack.name)
        ours = answers(importer.model, pack.name, rejections)
        print(f"{pack.name}: {time.perf_counter() - begun:.1f} s")
        if options.expected:
            wrong += differences(options.expected / pack.name, ours)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
