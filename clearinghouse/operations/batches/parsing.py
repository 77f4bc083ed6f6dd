"""Parsing the lines of a part, each on its own: one that can't be read doesn't cost its neighbours anything."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Container, Sequence
from functools import cache
from typing import Any, NamedTuple

from clearinghouse.domain.transactions import Line
from clearinghouse.operations.batches.cutting import (
    COLUMN_NAMES,
    LINE_MAX,
    Format,
    Part,
    is_blank,
)
from clearinghouse.operations.packs import fields
from clearinghouse.operations.packs.reading import arrangement, well_quoted
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.packs.tables import misfit
from clearinghouse.operations.packs.transactions import COLUMNS, line_parser

_NUMBERS = frozenset({"amount_minor", "points"})
#: More digits than any amount has; Python itself refuses to read thousands of them.
_DIGITS_MAX = 20

Values = Sequence[str]


class Fault(NamedTuple):
    """A line that can't be read, and why, in one sentence that shows no card number."""

    line: int
    reason: str


class Parsed(NamedTuple):
    """The lines of a part that can be read, and the others."""

    lines: list[Line]
    faults: list[Fault]


class _Unreadable(ValueError):
    """A line is not even a record; the text is a sentence."""


class _NotWhole(NamedTuple):
    """A number of a JSON line that is no whole number, or a preposterous one."""

    text: str


def parse_part(
    part: Part, kind: Format, layout: tuple[str, ...], answered: Container[int] = ()
) -> Parsed:
    """Parse the lines of a part that are neither blank nor answered already."""
    values_of = _csv_reader(layout) if kind is Format.CSV else _json_values
    parse = line_parser()
    parsed = Parsed([], [])
    for number, raw in enumerate(part.content.split(b"\n"), part.first_line):
        if is_blank(raw) or number in answered:
            continue
        values: Values = ()
        try:
            if len(raw) > LINE_MAX:
                raise _Unreadable(f"the line is longer than {LINE_MAX:,} bytes")
            values = values_of(raw.decode().removesuffix("\r"))
            parsed.lines.append(parse(number, values))
        except fields.Unfit:
            parsed.faults.append(Fault(number, misfit(COLUMNS, values)))
        except _Unreadable as reason:
            parsed.faults.append(Fault(number, str(reason)))
    return parsed


@cache
def _csv_reader(layout: tuple[str, ...]) -> Callable[[str], Values]:
    """Make a reader of CSV lines that have these columns."""
    arrange = arrangement(layout, "", COLUMN_NAMES)
    width = len(layout)

    def values_of(raw: str) -> Values:
        if not well_quoted(raw):
            raise _Unreadable("the quotation marks do not match")
        try:
            (row,) = csv.reader([raw], strict=True)
        except csv.Error:
            raise _Unreadable("the line has a carriage return inside") from None
        if len(row) != width:
            raise _Unreadable(f"the line has {len(row)} values where the header has {width}")
        return row if arrange is None else arrange(row)

    return values_of


def _json_values(raw: str) -> Values:
    try:
        members = _DECODER.decode(raw.strip())
    except RecursionError:
        raise _Unreadable("the line is nested too deeply") from None
    except json.JSONDecodeError:
        raise _Unreadable("the line is not JSON") from None
    if type(members) is not dict:
        raise _Unreadable("the line is not a JSON object")
    # Most lines have all columns and nothing else; the others are looked at more closely.
    if members.keys() - _COLUMN_SET:
        unknown = next(name for name in members if name not in _COLUMN_SET)
        raise _Unreadable(f"there is no such member as {shown(unknown)}")
    return [_json_text(name, members.get(name)) for name in COLUMN_NAMES]


def _json_text(name: str, value: Any) -> str:
    """Return a member's value as a CSV file would write it; a missing or null one is empty."""
    if value is None:
        return ""
    if name in _NUMBERS:
        if type(value) is int:
            return str(value)
        seen = f" {shown(value.text)}" if isinstance(value, _NotWhole) else ""
        raise _Unreadable(f"{name}{seen} is not a whole number")
    if type(value) is not str:
        raise _Unreadable(f"{name} is not a string")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unreadable(f"the member {shown(twice)} is there twice")
    return members


def _whole(text: str) -> int | _NotWhole:
    return int(text) if len(text) <= _DIGITS_MAX else _NotWhole(text)


_COLUMN_SET = frozenset(COLUMN_NAMES)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_NotWhole, parse_constant=_NotWhole
)
