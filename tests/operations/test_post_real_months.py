"""The real months: every refusal is the one that an independent calculation gives."""

import csv
from pathlib import Path

from clearinghouse.operations.context import Context
from clearinghouse.operations.importing import import_pack, rejected_lines


def test_the_real_month_refuses_the_same_lines(context: Context, shared_folder: Path) -> None:
    folder = shared_folder / "data/alliance"
    result = import_pack(context, folder / "2017-01")
    with (folder / "expected/2017-01/rejections.csv").open(newline="", encoding="utf-8") as file:
        expected = [tuple(row) for row in csv.reader(file)][1:]
    found = [
        (name, str(line.line), line.host_hotel, line.txn_ref, line.code)
        for name, line in rejected_lines(context, result.files)
    ]
    assert found == expected
