"""Lines of a published statement, a page at a time, out of the very CSV that was signed (docs/decisions/0030).

A page is quick however long the file is, with filters too: a request reads no more than a few pieces of it. What it
has not reached by then, the next one goes on from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, get_type_hints
from uuid import UUID

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.store import file_parts
from clearinghouse.store.frozen import CHUNK_BYTES
from settlement.adjustment_lines import KIND as ADJUSTMENT
from settlement.paths import statement_path
from settlement.published import own_code, seeing
from settlement.statements.statement import LINE_COLUMNS, StatementLine
from settlement.stored_file import (
    BUSINESS_DATE,
    LINE_NO,
    LinesFile,
    Raw,
    at_place,
    is_adjustment,
    place_of,
)
from settlement.stored_statement import published_file

_PAGE_BLOCK = 32 << 10
_SEARCH_BLOCK = 1 << 18
#: What a request that looks for lines may read, look at, and let the server look through: 50 ms are enough for it.
_SEARCH_BYTES = 2 << 20
_SEARCH_LOOKS = 6_000
_SEARCH_PIECES = 24
_MOST_PLACES = 50

_AT = {name: number for number, name in enumerate(LINE_COLUMNS)}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines are wanted; ``None`` asks for no particular ones. ``hotel`` is host or issuer, by code."""

    counterparty: str | None = None
    kind: str | None = None
    hotel: str | None = None
    since: date | None = None
    until: date | None = None
    cross: bool | None = None
    with_fee: bool = False
    txn_ref: str | None = None

    @property
    def needs_search(self) -> bool:
        """Whether lines have to be looked at that are not shown."""
        return self.with_fee or any(
            value is not None
            for value in (
                self.counterparty,
                self.kind,
                self.hotel,
                self.since,
                self.until,
                self.cross,
            )
        )


class LinePage(NamedTuple):
    """Some lines of a statement in order, of ``total``; ``after`` is the number behind which to go on, if any.

    ``searched_to`` is there where the request has read as much as one may before the page was full.
    """

    lines: tuple[StatementLine, ...]
    total: int
    after: int | None
    searched_to: int | None


def lines_page(
    context: Context, party: Party, period: int, wanted: Filters, after: int, size: int
) -> LinePage:
    """Return up to ``size`` lines of the party's published statement behind a line number.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, or it has no statement of this party.
    """
    with _opened(context, party, period) as file:
        if wanted.txn_ref is not None:
            return _by_reference(context, party, period, file, wanted, after, size)
        if after >= file.count:
            return LinePage((), file.count, None, None)
        if not wanted.needs_search:
            walk = file.walk(file.of_line(after + 1), _PAGE_BLOCK)
            lines = [line_of(raw.values) for raw, _ in zip(walk, range(size), strict=False)]
            end = after + len(lines)
            return LinePage(
                tuple(lines), file.count, end if lines and end < file.count else None, None
            )
        return _search(file, wanted, after, size)


def line_at(context: Context, party: Party, period: int, number: int) -> StatementLine:
    """Return one line of the party's published statement, by its number.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: there is no such line, or no such statement.
    """
    with _opened(context, party, period) as file:
        if 1 <= number <= file.count:
            for raw in file.walk(file.of_line(number), _PAGE_BLOCK):
                return line_of(raw.values)
    raise NotFound(f"the statement of {format_period(period)} has no line {number}")


def lines_of_transaction(
    context: Context, party: Party, period: int, txn_id: UUID
) -> tuple[StatementLine, ...]:
    """Return the lines of a transaction on the party's published statement; none if there are none.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, or it has no statement of this party.
    """
    name = f"txn_{txn_id.hex}"
    with context.database.posting() as session:
        places = file_parts.places_of_transactions(session, party.system or 0, period, [txn_id])
    with _opened(context, party, period) as file:
        return tuple(line for line in _at_places(file, places) if line.txn_id == name)


def line_of(values: list[str]) -> StatementLine:
    """Return the line that a row of the CSV is."""
    return StatementLine(*(read(text) for read, text in zip(_READERS, values, strict=True)))


@contextmanager
def _opened(context: Context, party: Party, period: int) -> Iterator[LinesFile]:
    """Open the lines of the party's statement, in a transaction that sees the party's alone."""
    path = statement_path(own_code(context, party), "csv")
    with seeing(context, party) as session:
        yield LinesFile(session, period, published_file(session, period, path))


def _search(file: LinesFile, wanted: Filters, after: int, size: int) -> LinePage:
    """Look through lines from a place on, as far as one request may."""
    fits, needles = _tests(wanted)
    found: list[StatementLine] = []
    looks = 0
    for begin, end in _stretches(file, wanted, after):
        offset = begin
        while offset < end:
            is_enough = file.bytes_read > _SEARCH_BYTES or looks > _SEARCH_LOOKS
            if is_enough or file.pieces_tested >= _SEARCH_PIECES:
                reached = file.number_at(offset) - 1
                return LinePage(tuple(found), file.count, reached, reached)
            if needles:
                # Two at least: the line that reaches from one into the next is begun again with the next.
                most = max(_SEARCH_PIECES - file.pieces_tested, 2)
                place, is_there = file.piece_with(needles[0], offset, end, most)
                if place > offset and not is_there:
                    offset = place
                    continue
                offset = place
            for number, raw in _numbered(file, offset, _piece_end(offset, end)):
                offset = raw.end
                if any(needle not in raw.text for needle in needles):
                    continue
                looks += 1
                values = raw.values
                if fits(values):
                    found.append(line_of(values))
                    if len(found) == size:
                        rest = number if number < file.count else None
                        return LinePage(tuple(found), file.count, rest, None)
    return LinePage(tuple(found), file.count, None, None)


def _stretches(file: LinesFile, wanted: Filters, after: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where lines behind one can be wanted: legs between the dates, then every adjustment."""
    start = file.of_line(after + 1)
    adjustments = file.of_first(is_adjustment)
    if wanted.kind != ADJUSTMENT:
        begin, end = start, adjustments
        if wanted.since is not None:
            first = wanted.since.isoformat()
            begin = max(
                start, file.of_first(lambda row: is_adjustment(row) or row[BUSINESS_DATE] >= first)
            )
        if wanted.until is not None:
            last = wanted.until.isoformat()
            end = file.of_first(lambda row: is_adjustment(row) or row[BUSINESS_DATE] > last)
        yield begin, end
    if wanted.kind in (None, ADJUSTMENT):
        yield max(start, adjustments), file.size


def _piece_end(offset: int, end: int) -> int:
    return min(end, (offset // CHUNK_BYTES + 1) * CHUNK_BYTES)


def _numbered(file: LinesFile, offset: int, end: int) -> Iterator[tuple[int, Raw]]:
    """Yield the lines that begin between two places, with their numbers."""
    number = 0
    for raw in file.walk(offset, _PAGE_BLOCK, _SEARCH_BLOCK):
        if raw.offset >= end:
            return
        number = number + 1 if number else int(raw.values[LINE_NO])
        yield number, raw


def _tests(wanted: Filters) -> tuple[Callable[[list[str]], bool], list[bytes]]:
    """Return what tells whether a line is wanted, and bytes that every wanted line has, the rarest first."""
    tests: list[Callable[[list[str]], bool]] = []
    needles: list[bytes] = []

    def has(text: str, *names: str) -> None:
        places = [_AT[name] for name in names]
        tests.append(lambda row: any(row[place] == text for place in places))
        if '"' not in text and "," not in text:
            needles.append(b"," + text.encode() + b",")

    if wanted.counterparty is not None:
        has(wanted.counterparty, "counterparty_system")
    if wanted.hotel is not None:
        has(wanted.hotel, "host_hotel", "issuer_hotel")
    if wanted.kind is not None:
        has(wanted.kind, "kind")
    if wanted.cross is not None:
        has("true" if wanted.cross else "false", "is_cross_system")
    if wanted.with_fee:
        tests.append(lambda row: row[_AT["fee_minor"]] not in ("", "0"))
        needles.append(b",true,")
    if wanted.since is not None:
        since = wanted.since.isoformat()
        tests.append(lambda row: row[BUSINESS_DATE] >= since)
    if wanted.until is not None:
        until = wanted.until.isoformat()
        tests.append(lambda row: row[BUSINESS_DATE] <= until)
    return (lambda row: all(test(row) for test in tests)), needles


def _by_reference(
    context: Context,
    party: Party,
    period: int,
    file: LinesFile,
    wanted: Filters,
    after: int,
    size: int,
) -> LinePage:
    """Find the lines of a reference by the books' own index: it says where in the file they stand."""
    with context.database.posting() as session:
        places = file_parts.places_of_reference(
            session, party.system or 0, period, wanted.txn_ref or ""
        )
    fits, _ = _tests(wanted)
    found = [
        line
        for line in _at_places(file, places[:_MOST_PLACES], fits)
        if line.line_no > after and line.txn_ref == wanted.txn_ref
    ]
    rest = found[size - 1].line_no if len(found) > size else None
    return LinePage(tuple(found[:size]), file.count, rest, None)


def _at_places(
    file: LinesFile,
    places: list[file_parts.Place],
    fits: Callable[[list[str]], bool] = lambda _: True,
) -> Iterator[StatementLine]:
    for place in places:
        wanted = (place.business_date.isoformat(), *place[1:])
        for raw in file.walk(file.of_first(at_place(place)), _PAGE_BLOCK):
            values = raw.values
            if is_adjustment(values) or place_of(values) != wanted:
                break
            if fits(values):
                yield line_of(values)


def _reader(kind: Any) -> Callable[[str], Any]:
    """Return what reads a column of a type; an empty text is ``None``."""
    kinds = {kind, *getattr(kind, "__args__", ())}
    for candidate, read in (
        (bool, lambda text: text == "true"),
        (int, int),
        (datetime, datetime.fromisoformat),
        (date, date.fromisoformat),
    ):
        if candidate in kinds:
            return lambda text, read=read: read(text) if text else None  # type: ignore[misc]  # mypy infers no type for a lambda's default
    return lambda text: text or None


_READERS = tuple(_reader(get_type_hints(StatementLine)[name]) for name in LINE_COLUMNS)
