"""The real months, imported and settled in order: equal to an independent calculation, to the fen."""

import csv
import io
from pathlib import Path

import pytest

from clearinghouse.domain.calendar import parse_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack, rejected_lines
from settlement.run import read_file, settle

MONTHS = ("2017-01", "2017-02")


def published(context: Context, month: str, name: str) -> list[dict[str, str]]:
    content = b"".join(read_file(context, parse_period(month), name))
    return list(csv.DictReader(io.StringIO(content.decode())))


def expected(folder: Path, month: str, name: str) -> list[dict[str, str]]:
    with (folder / "expected" / month / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def without_extra_columns(
    rows: list[dict[str, str]], like: list[dict[str, str]]
) -> list[dict[str, str]]:
    return [{column: row[column] for column in like[0]} for row in rows]


def test_the_real_months_agree_with_an_independent_calculation(
    context: Context, shared_folder: Path
) -> None:
    folder = shared_folder / "data/alliance"
    for month in MONTHS:
        result = import_pack(context, folder / month)
        settle(context, parse_period(month))

        refused = [
            {
                "file": name,
                "line": str(line.line),
                "host_hotel": line.host_hotel,
                "txn_ref": line.txn_ref,
                "code": line.code,
            }
            for name, line in rejected_lines(context, result.files)
        ]
        assert refused == expected(folder, month, "rejections.csv")
        for name in ("positions.csv", "obligations.csv"):
            wanted = expected(folder, month, name)
            assert without_extra_columns(published(context, month, name), wanted) == wanted, name
        # A hotel whose points are all used has a row that says so; the calculation leaves such hotels out.
        outstanding = {
            row["hotel_code"]: row["closing"]
            for row in published(context, month, "points_liability.csv")
            if row["closing"] != "0"
        }
        wanted = expected(folder, month, "points_liability.csv")
        assert outstanding == {row["hotel_code"]: row["closing"] for row in wanted}


@pytest.mark.parametrize("month", MONTHS)
def test_the_expectations_are_not_empty(shared_folder: Path, month: str) -> None:
    assert len(expected(shared_folder / "data/alliance", month, "positions.csv")) == 62
