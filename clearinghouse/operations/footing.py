"""Adding up stored statements again: they must sum, or nothing is published (domain.md §5.8).

What is added up are the stored files themselves and not the figures that they were made of: it is them that are
signed. Every statement foots by itself, its tables add up to its totals, its totals are the frozen position's, and all
systems together are the clearing house's with the opposite sign. What comes out are the control totals of the manifest.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.domain.netting import Position
from clearinghouse.operations.signing import OPERATOR
from clearinghouse.store import frozen
from clearinghouse.store.database import Session

#: Where the lines of a statement in JSON begin; the header before them is small, however many there are.
_LINES = b'"lines": ['
_HEADER_MAX = 32 << 20
#: A total of all systems, what the clearing house's own statement calls it, and with which sign.
_MIRRORED = (
    ("opening_minor", "opening_minor", -1),
    ("receivable_minor", "payable_minor", 1),
    ("payable_minor", "receivable_minor", 1),
    ("fees_minor", "fees_minor", -1),
    ("vat_minor", "vat_minor", -1),
    ("adjustments_minor", "adjustments_minor", -1),
    ("net_minor", "net_minor", -1),
    ("payments_minor", "payments_minor", -1),
    ("closing_minor", "closing_minor", -1),
)
_FROZEN = (
    "receivable_minor", "payable_minor", "fees_minor", "vat_minor", "adjustments_minor", "net_minor",
)  # fmt: skip


class ControlTotals(NamedTuple):
    """The sums over all systems' stored statements, in fen, and how many lines the clearing house's has."""

    systems: int
    legs: int
    minor: dict[str, int]


class _Sums(NamedTuple):
    """A statement's header, and which sign its fees have: the clearing house's own statement has them as income."""

    code: str
    document: dict[str, Any]
    fee_sign: int

    @property
    def summary(self) -> dict[str, int]:
        return dict(self.document["summary"])

    def table(self, name: str, column: str) -> int:
        return sum(row[column] for row in self.document.get(name, ()))


def prove_footing(session: Session, period: int, *, lines: bool = False) -> ControlTotals:
    """Add up the stored statements of a netted period; with ``lines`` also every line of their CSV files.

    Raises:
        BooksDoNotBalance: something does not sum; the sentence says what.
    """
    codes = {system.number: system.code for system in frozen.run_terms(session, period).systems}
    positions = {codes[p.system]: p for p in frozen.positions(session, period)}
    totals = dict.fromkeys((name for name, _, _ in _MIRRORED), 0)
    for code, position in positions.items():
        sums = _Sums(code, _header(session, period, code), 1)
        _must_foot(session, period, sums, position, lines=lines)
        for name in totals:
            totals[name] += sums.summary[name]
    own = _Sums(OPERATOR, _header(session, period, OPERATOR), -1)
    _must_foot(session, period, own, None, lines=lines)
    for name, mirrored, sign in _MIRRORED:
        if totals[name] != sign * own.summary[mirrored]:
            raise _wrong(period, OPERATOR, f"its {mirrored} is not the sum of all systems' {name}")
    on_top = totals["vat_minor"] if own.summary["vat_on_top"] else 0
    if totals["net_minor"] + totals["fees_minor"] + on_top != totals["adjustments_minor"]:
        raise _wrong(period, OPERATOR, "net positions, fees and adjustments do not sum to zero")
    return ControlTotals(len(positions), own.document["line_count"], totals)


def _must_foot(
    session: Session, period: int, sums: _Sums, position: Position | None, *, lines: bool
) -> None:
    """Add up one statement: its summary, its tables, and its lines if they are asked for."""
    said = sums.summary
    if (sums.document["period"], sums.document["party"]["code"]) != (
        format_period(period),
        sums.code,
    ):
        raise _wrong(period, sums.code, "it is of another month or party")
    net = (
        said["receivable_minor"]
        - said["payable_minor"]
        - said["fees_minor"]
        - (said["vat_minor"] if said["vat_on_top"] else 0)
        + said["adjustments_minor"]
    )
    added = {
        "net_minor": net,
        "closing_minor": said["opening_minor"] + net - said["payments_minor"],
        "receivable_minor": sums.table("counterparties", "receivable_minor"),
        "payable_minor": sums.table("counterparties", "payable_minor"),
        "fees_minor": sums.fee_sign * sums.table("activities", "fee_minor"),
        "payments_minor": -sums.table("movements", "amount_minor"),
    }
    _compare(period, sums.code, "adds up to", said, added)
    if position is not None:
        figures = {name: getattr(position, name) for name in _FROZEN}
        _compare(period, sums.code, "is frozen as", said, figures)
    if lines:
        _compare(period, sums.code, "is in its lines", *_of_lines(session, period, sums))


def _of_lines(
    session: Session, period: int, sums: _Sums
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return what the lines of a statement must come to, and what those of its CSV file do."""
    said = sums.summary
    stated = {
        "line_count": sums.document["line_count"],
        "receivable_minor": said["receivable_minor"],
        "payable_minor": said["payable_minor"],
        "fees_minor": said["fees_minor"],
        # VAT that is on top is reckoned once a statement, and so on no line.
        "net_minor": said["net_minor"] + (said["vat_minor"] if said["vat_on_top"] else 0),
    }
    rows = csv.reader(_text(frozen.file_chunks(session, period, _path(sums.code, "csv"))))
    columns = next(rows, [])
    names = ("gross_credit_minor", "gross_debit_minor", "fee_minor", "net_minor")
    credit, debit, fee, net = (columns.index(name) for name in names)
    found = [0, 0, 0, 0, 0]
    for row in rows:
        found[0] += 1
        found[1] += int(row[credit] or 0)
        found[2] += int(row[debit] or 0)
        found[3] += int(row[fee] or 0)
        found[4] += int(row[net] or 0)
    return stated, dict(zip(stated, found, strict=True))


def _compare(
    period: int, code: str, how: str, said: Mapping[str, int], found: Mapping[str, int]
) -> None:
    for name, amount in found.items():
        if said[name] != amount:
            raise _wrong(period, code, f"its {name} is {said[name]} and {how} {amount}")


def _header(session: Session, period: int, code: str) -> dict[str, Any]:
    """Return a stored statement without its lines."""
    text = b""
    for block in frozen.file_chunks(session, period, _path(code, "json")):
        text += block
        end = text.find(_LINES)
        if end >= 0:
            try:
                document: dict[str, Any] = json.loads(text[:end] + b'"lines": []}')
            except ValueError:
                break
            return document
        if len(text) > _HEADER_MAX:
            break
    raise _wrong(period, code, "its header can't be read")


def _text(blocks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a text that comes in blocks, each with its line feed."""
    rest = b""
    for block in blocks:
        whole, feed, rest = (rest + block).rpartition(b"\n")
        if feed:
            yield from (line + "\n" for line in whole.decode().split("\n"))
    if rest:
        yield rest.decode()


def _path(code: str, ending: str) -> str:
    return f"statements/{code}.{ending}"


def _wrong(period: int, code: str, what: str) -> BooksDoNotBalance:
    return BooksDoNotBalance(
        f"the statement of {code} for {format_period(period)} does not foot: {what}"
    )
