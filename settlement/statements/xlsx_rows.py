"""The rows of the sheet of lines, written as SpreadsheetML straight to disk.

XlsxWriter needs six times as long for such rows of thirty cells, more than a minute for the longest
workbook. This knows only the rows of this one sheet. The workbook around them is XlsxWriter's, with a
model row whose cells have the five styles; ``put_together`` puts the rows in the model row's place.

A style's number is known only when the workbook is written, after the rows, because its checks hold
the rows' totals. Until then a control character stands for it: none can be in the text of a sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from operator import attrgetter
from typing import BinaryIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from xlsxwriter.utility import xl_col_to_name

from settlement.statements.amounts import WORKBOOK_LIMIT_MINOR, shown
from settlement.statements.statement import LINE_COLUMNS, StatementLine
from settlement.statements.xlsx_cells import fitting

#: After the contract's columns, in fen, stand the same amounts in yuan.
MINOR_COLUMNS = tuple(name for name in LINE_COLUMNS if name.endswith("_minor"))
YUAN_COLUMNS = tuple(name.removesuffix("_minor") for name in MINOR_COLUMNS)
SHEET_COLUMNS = LINE_COLUMNS + YUAN_COLUMNS
#: Row 1 is for people, row 2 holds the exact column names, the lines begin in row 3.
FIRST_ROW = 3

_TEXT, _WHOLE, _AMOUNT, _DAY, _MOMENT = (chr(code) for code in range(1, 6))
_LETTERS = tuple(xl_col_to_name(column) for column in range(len(SHEET_COLUMNS)))
_VALUES = attrgetter(*LINE_COLUMNS)
_MINOR = tuple(LINE_COLUMNS.index(name) for name in MINOR_COLUMNS)
_DAY_ZERO = date(1899, 12, 30).toordinal()
_CHUNK = 1 << 18
#: How every member of the workbook is kept, whatever system writes it: compressed, as by Unix, rw-r--r--.
_MEMBER = {"compress_type": ZIP_DEFLATED, "create_system": 3, "external_attr": 0o644 << 16}
#: What a cell can't hold as it is: markup, control characters, what looks like their escape, outer space.
_SPECIAL = re.compile(r"[&<>\x00-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\s|\s$")
_ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MODEL_ROW = re.compile(rf'<row r="{FIRST_ROW}".*?</row>')


@dataclass(slots=True)
class LineTotals:
    """What the written lines add up to, in fen."""

    count: int = 0
    fee_minor: int = 0
    net_minor: int = 0


def write_rows(rows: BinaryIO, lines: Iterator[StatementLine], timezone: tzinfo) -> LineTotals:
    """Write one row for each line, moments local to ``timezone``, and add the lines up."""
    totals = LineTotals()
    for row, line in enumerate(lines, start=FIRST_ROW):
        totals.count += 1
        totals.fee_minor += line.fee_minor or 0
        totals.net_minor += line.net_minor
        rows.write(_row(row, line, timezone).encode())
    return totals


def put_together(
    workbook: BinaryIO, sheet: str, rows: BinaryIO, last_row: int, out: BinaryIO
) -> None:
    """Copy a workbook to ``out`` with ``rows`` in place of the model row of the member ``sheet``.

    The members get one date and mode, so the bytes don't tell when, where or by whom they were
    written.
    """
    with ZipFile(workbook) as source, ZipFile(out, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            with target.open(_member(name), "w") as member:
                if name == sheet and last_row >= FIRST_ROW:
                    before, styles, after = _split(content.decode(), last_row)
                    member.write(before.encode())
                    while chunk := rows.read(_CHUNK):
                        member.write(_styled(chunk, styles))
                    member.write(after.encode())
                else:
                    member.write(content)


def _row(row: int, line: StatementLine, timezone: tzinfo) -> str:
    values = _VALUES(line)
    cells = [
        _cell(f"{letter}{row}", value, timezone)
        for letter, value in zip(_LETTERS, values, strict=False)
        if value is not None
    ]
    for letter, column in zip(_LETTERS[len(LINE_COLUMNS) :], _MINOR, strict=True):
        if values[column] is not None:
            cells.append(_yuan(f"{letter}{row}", values[column]))
    return f'<row r="{row}">{"".join(cells)}</row>'


def _cell(place: str, value: str | int | date, timezone: tzinfo) -> str:
    kind = type(value)
    if kind is str:
        return f'<c r="{place}" s="{_TEXT}" t="inlineStr">{_inline(value)}</c>'
    if kind is bool:
        return f'<c r="{place}" s="{_TEXT}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, datetime):
        local = value.astimezone(timezone)
        seconds = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
        serial = local.toordinal() - _DAY_ZERO + seconds / 86_400
        return f'<c r="{place}" s="{_MOMENT}"><v>{serial:.10f}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="{_DAY}"><v>{value.toordinal() - _DAY_ZERO}</v></c>'
    if isinstance(value, int) and abs(value) < WORKBOOK_LIMIT_MINOR:
        return f'<c r="{place}" s="{_WHOLE}"><v>{value}</v></c>'
    return f'<c r="{place}" s="{_WHOLE}" t="inlineStr">{_inline(str(value))}</c>'


def _yuan(place: str, amount_minor: int) -> str:
    if abs(amount_minor) >= WORKBOOK_LIMIT_MINOR:
        return f'<c r="{place}" s="{_AMOUNT}" t="inlineStr">{_inline(shown(amount_minor))}</c>'
    whole, rest = divmod(abs(amount_minor), 100)
    sign = "-" if amount_minor < 0 else ""
    return f'<c r="{place}" s="{_AMOUNT}"><v>{sign}{whole}.{rest:02d}</v></c>'


@lru_cache(maxsize=4_096)
def _inline(text: str) -> str:
    if _SPECIAL.search(text) is None and len(text) < 10_000:
        return f"<is><t>{text}</t></is>"
    text = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", fitting(text))
    return f'<is><t xml:space="preserve">{escape(text)}</t></is>'


def _split(xml: str, last_row: int) -> tuple[str, list[bytes], str]:
    """Return a sheet before and after its model row, and the numbers of the row's styles."""
    model = _MODEL_ROW.search(xml)
    if model is None:
        raise ValueError("the sheet of lines has no model row")
    styles = re.findall(r' s="([0-9]+)"', model[0])
    before, after = xml[: model.start()], xml[model.end() :]
    whole = f'<dimension ref="A1:{_LETTERS[-1]}{last_row}"/>'
    return (
        re.sub(r'<dimension ref="[^"]*"/>', whole, before),
        [number.encode() for number in styles],
        after,
    )


def _styled(chunk: bytes, styles: list[bytes]) -> bytes:
    for code, number in enumerate(styles, start=1):
        chunk = chunk.replace(bytes([code]), number)
    return chunk


def _member(name: str) -> ZipInfo:
    member = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    for attribute, value in _MEMBER.items():
        setattr(member, attribute, value)
    return member
